/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FAKE_LIBC_H
#define SVTREE_FAKE_LIBC_H

/*
 * What the supervisor's calls into the system become when rename.h is put
 * before its sources: questions to the fake world (world.h).
 */
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

struct stat;

pid_t fake_fork(void);
pid_t fake_waitpid(pid_t pid, int *status, int flags);
int fake_kill(pid_t pid, int signo);
pid_t fake_getsid(pid_t pid);
pid_t fake_getpgid(pid_t pid);
int fake_open(const char *path, int flags, ...);
int fake_close(int fd);
ssize_t fake_read(int fd, void *dst, size_t n);
ssize_t fake_write(int fd, const void *src, size_t n);
ssize_t fake_pread(int fd, void *dst, size_t n, off_t at);
ssize_t fake_pwrite(int fd, const void *src, size_t n, off_t at);
int fake_ftruncate(int fd, off_t size);
int fake_fstat(int fd, struct stat *st);
int fake_fsync(int fd);
int fake_flock(int fd, int what);
int fake_mkdir(const char *path, mode_t mode);
int fake_mkfifo(const char *path, mode_t mode);
int fake_unlink(const char *path);
int fake_access(const char *path, int what);
int fake_chmod(const char *path, mode_t mode);
int fake_socket(int domain, int type, int protocol);
int fake_bind(int fd, const struct sockaddr *sa, socklen_t len);
ssize_t fake_recv(int fd, void *dst, size_t n, int flags);
int fake_listen(int fd, int backlog);
int fake_accept(int fd, struct sockaddr *sa, socklen_t *len);
ssize_t fake_send(int fd, const void *src, size_t n, int flags);
void *fake_calloc(size_t n, size_t size);
void *fake_malloc(size_t size);
void *fake_realloc(void *p, size_t size);
char *fake_strdup(const char *s);
void fake_free(void *p);
int fake_conf_load(struct conf_tree *t, const char *dir, conf_report *report,
    void *arg);
void fake_conf_free(struct conf_tree *t);

#endif
