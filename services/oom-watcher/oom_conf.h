/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_CONF_H
#define SVTREE_OOM_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

/*
 * What the watcher takes from the tree's service.conf files: which service
 * stands for which container, where the engine is, and which services are
 * an Ollama.
 */

/* Our own service's name. */
const char *oom_conf_self(void);
/* Reads $SVTREE_SERVICES (again). 0, or -1 and the former one stays. */
int oom_conf_load(void);
void oom_conf_free(void);
/* The service of a container, or NULL. */
const char *oom_conf_service(const char *container);
bool oom_conf_is_container(const char *service);
bool oom_conf_is_expendable(const char *service);
/* [docker] socket of the first service that names one, or NULL. */
const char *oom_conf_socket(void);
/* The i-th base address of an Ollama, NULL behind the last. */
const char *oom_conf_ollama(int i);
/* The i-th directory in which an Ollama has its models, NULL behind the
 * last. */
const char *oom_conf_store(int i);
/* [log] of the i-th service, and its name; NULL behind the last. */
const struct conf_log *oom_conf_log(int i, const char **name);
/* [health] max-memory of a service in bytes, 0 none. */
int64_t oom_conf_limit(const char *service);

#endif
