/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SELF_H
#define SVTREE_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

/*
 * A service program about itself: its part of service.conf, and what it has
 * to say, told to the supervisor until it is heard.
 */

/* $SVTREE_SERVICE, or name when it is not set. */
const char *self_name(const char *name);
/* The own service.conf, from $SVTREE_SERVICES; others may be broken. NULL
 * when there is none, or it is broken: that is logged. */
const struct conf_service *self_conf(struct conf_tree *t);
/* [docker] socket: the own one, else that of another service, else NULL. */
const char *self_docker_socket(const struct conf_tree *t,
    const struct conf_service *own);

/* What is to be known of us; NULL leaves as it is. Sent when it differs from
 * what was sent. reason: why the health is so. */
void self_health(const char *health, const char *reason);
void self_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* For the history; sent as soon as can be, the newest only. Logged, too. */
void self_incident(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
/* How the last run ended, by the kernel for memory or not. */
void self_ended(bool oom, const char *reason);
/* This run ends now, by the kernel for memory. */
void self_ends_by_oom(const char *reason);
/* Sends what is left to send. Returns when to try again (os_now_ms), or
 * INT64_MAX. */
int64_t self_flush(int64_t now_ms);

#endif
