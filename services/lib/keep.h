/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_KEEP_H
#define SVTREE_KEEP_H

#include <stddef.h>

/*
 * A few bytes that a service program keeps in the state directory. A file is
 * replaced in one step and is on disk when that is done.
 */
#define KEEP_PATH_MAX	1024

/* $SVTREE_STATE/NAME; -1 when there is no such directory. */
int keep_path(const char *name, char *dst, size_t cap);
/* The file, NUL-terminated; its length, or -1 with errno. What is longer than
 * cap is left out. */
int keep_read(const char *path, char *dst, size_t cap);
/* 0, or -1 with errno: the old one stands. */
int keep_write(const char *path, const char *bytes, size_t n);

#endif
