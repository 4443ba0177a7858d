/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FAKE_RENAME_H
#define SVTREE_FAKE_RENAME_H

/*
 * Put before every source of the supervisor by -include. The system's own
 * headers come first, so that only calls are renamed, no declaration.
 */
#include "libc.h"

#undef strdup
#define fork()			fake_fork()
#define waitpid(p, s, f)	fake_waitpid(p, s, f)
#define kill(p, s)		fake_kill(p, s)
#define getsid(p)		fake_getsid(p)
#define getpgid(p)		fake_getpgid(p)
#define open(...)		fake_open(__VA_ARGS__)
#define close(fd)		fake_close(fd)
#define read(fd, p, n)		fake_read(fd, p, n)
#define write(fd, p, n)		fake_write(fd, p, n)
#define pread(fd, p, n, at)	fake_pread(fd, p, n, at)
#define pwrite(fd, p, n, at)	fake_pwrite(fd, p, n, at)
#define ftruncate(fd, n)	fake_ftruncate(fd, n)
#define fstat(fd, st)		fake_fstat(fd, st)
#define fsync(fd)		fake_fsync(fd)
#define flock(fd, what)		fake_flock(fd, what)
#define mkdir(path, mode)	fake_mkdir(path, mode)
#define mkfifo(path, mode)	fake_mkfifo(path, mode)
#define unlink(path)		fake_unlink(path)
#define access(path, what)	fake_access(path, what)
#define chmod(path, mode)	fake_chmod(path, mode)
#define socket(d, t, p)		fake_socket(d, t, p)
#define bind(fd, sa, len)	fake_bind(fd, sa, len)
#define listen(fd, n)		fake_listen(fd, n)
#define accept(fd, sa, len)	fake_accept(fd, sa, len)
#define send(fd, p, n, f)	fake_send(fd, p, n, f)
#define recv(fd, p, n, f)	fake_recv(fd, p, n, f)
#define calloc(n, size)		fake_calloc(n, size)
#define malloc(size)		fake_malloc(size)
#define realloc(p, size)	fake_realloc(p, size)
#define strdup(s)		fake_strdup(s)
#define free(p)			fake_free(p)
#define conf_load		fake_conf_load
#define conf_load_partly	fake_conf_load
#define conf_free(t)		fake_conf_free(t)

#endif
