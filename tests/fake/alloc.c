/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's memory: two sizes of blocks at fixed addresses, so that
 * it can be saved and put back with all its pointers.
 */
#include "libc.h"

#include "world.h"

#define BIG	1024
#define SMALL	256
#define NBIG	16
#define NSMALL	24

static _Alignas(16) char big[NBIG][BIG];
static _Alignas(16) char small[NSMALL][SMALL];
static uint32_t used_big, used_small;

static bool
is_in(const void *p, const void *from, size_t size)
{
	return (uintptr_t)p >= (uintptr_t)from &&
	    (uintptr_t)p - (uintptr_t)from < size;
}

void *
fake_malloc(size_t size)
{
	int i;

	for (i = 0; size <= SMALL && i < NSMALL; i++)
		if (!(used_small >> i & 1)) {
			used_small |= 1u << i;
			return small[i];
		}
	for (i = 0; size <= BIG && i < NBIG; i++)
		if (!(used_big >> i & 1)) {
			used_big |= 1u << i;
			return big[i];
		}
	w_blame("no memory for %zu bytes (a leak?)", size);
	return NULL;
}

void *
fake_calloc(size_t n, size_t size)
{
	void *p = fake_malloc(n * size);

	return p != NULL ? memset(p, 0, n * size) : NULL;
}

void
fake_free(void *p)
{
	char *c = p;

	if (c == NULL)
		return;
	if (is_in(c, big, sizeof big))
		used_big &= ~(1u << (c - big[0]) / BIG);
	else if (is_in(c, small, sizeof small))
		used_small &= ~(1u << (c - small[0]) / SMALL);
	else
		w_blame("free of what is no block");
}

void *
fake_realloc(void *p, size_t size)
{
	char *c = p, *new = fake_malloc(size);
	size_t old;

	if (new == NULL || c == NULL)
		return new;
	old = is_in(c, big, sizeof big) ? BIG : SMALL;
	memcpy(new, c, old < size ? old : size);
	fake_free(c);
	return new;
}

char *
fake_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = fake_malloc(n);

	return p != NULL ? memcpy(p, s, n) : NULL;
}

void
w_memory_reset(void)
{
	used_big = used_small = 0;
}

size_t
w_memory_save(char *dst)
{
	char *at = dst;
	int i;

	memcpy(at, &used_big, 4);
	memcpy(at + 4, &used_small, 4);
	at += 8;
	for (i = 0; i < NBIG; i++)
		if (used_big >> i & 1) {
			memcpy(at, big[i], BIG);
			at += BIG;
		}
	for (i = 0; i < NSMALL; i++)
		if (used_small >> i & 1) {
			memcpy(at, small[i], SMALL);
			at += SMALL;
		}
	return (size_t)(at - dst);
}

void
w_memory_load(const char *src)
{
	const char *at = src + 8;
	int i;

	memcpy(&used_big, src, 4);
	memcpy(&used_small, src + 4, 4);
	for (i = 0; i < NBIG; i++)
		if (used_big >> i & 1) {
			memcpy(big[i], at, BIG);
			at += BIG;
		}
	for (i = 0; i < NSMALL; i++)
		if (used_small >> i & 1) {
			memcpy(small[i], at, SMALL);
			at += SMALL;
		}
}
