/* Kills a process, or fills the disk, at a chosen change of the files below a folder.
   FAULT_UNDER is that folder. FAULT_COUNTER is a file of 8 bytes that counts the changes of all threads and processes.
   FAULT_AT is the number of the change, from 1, at which FAULT happens: "kill", or "full", which lasts.
   Renaming files is not counted where it bypasses the C library; the flush before and the one after it are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static _Atomic long *counter;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAULT_COUNTER");
  int fd = path ? REAL(int, open, const char *, int, ...)(path, O_RDWR) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) counter = mapped;
  close(fd);
}

/* Counts a change. Returns whether it fails. `needs_room`: whether a full disk prevents it. */
static int fails(int needs_room) {
  const char *at = getenv("FAULT_AT"), *fault = getenv("FAULT");
  long now = atomic_fetch_add(counter, 1) + 1, chosen = at ? atol(at) : LONG_MAX;
  if (!fault || now < chosen) return 0;
  if (strcmp(fault, "kill") == 0) kill(getpid(), SIGKILL);
  if (needs_room) errno = ENOSPC;
  return needs_room;
}

static int under(const char *path) {
  const char *folder = getenv("FAULT_UNDER");
  return counter && folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int fd_fails(int fd, int needs_room) {
  char link[64], path[4096];
  if (!counter) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return under(path) && fails(needs_room);
}

static int path_fails(const char *path, int needs_room) { return under(path) && fails(needs_room); }

#define OPEN(name)                                                                \
  int name(const char *path, int flags, ...) {                                    \
    va_list rest;                                                                 \
    va_start(rest, flags);                                                        \
    mode_t mode = va_arg(rest, mode_t);                                           \
    va_end(rest);                                                                 \
    if ((flags & (O_CREAT | O_TRUNC)) && path_fails(path, 1)) return -1;          \
    return REAL(int, name, const char *, int, ...)(path, flags, mode);            \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                              \
  int name(int dir, const char *path, int flags, ...) {                           \
    va_list rest;                                                                 \
    va_start(rest, flags);                                                        \
    mode_t mode = va_arg(rest, mode_t);                                           \
    va_end(rest);                                                                 \
    if ((flags & (O_CREAT | O_TRUNC)) && path_fails(path, 1)) return -1;          \
    return REAL(int, name, int, const char *, int, ...)(dir, path, flags, mode);  \
  }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *bytes, size_t count) {
  if (fd_fails(fd, 1)) return -1;
  return REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, count);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (fd_fails(fd, 1)) return -1;
  return REAL(ssize_t, writev, int, const struct iovec *, int)(fd, parts, count);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  if (fd_fails(fd, 1)) return -1;
  return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, bytes, count, offset);
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
  if (fd_fails(out, 1)) return -1;
  return REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned)(in, from, out, to, count, flags);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
  if (fd_fails(out, 1)) return -1;
  return REAL(ssize_t, sendfile64, int, int, off64_t *, size_t)(out, in, offset, count);
}
int ftruncate64(int fd, off64_t length) {
  if (fd_fails(fd, 1)) return -1;
  return REAL(int, ftruncate64, int, off64_t)(fd, length);
}
int fsync(int fd) {
  if (fd_fails(fd, 0)) return -1;
  return REAL(int, fsync, int)(fd);
}
int fdatasync(int fd) {
  if (fd_fails(fd, 0)) return -1;
  return REAL(int, fdatasync, int)(fd);
}
int mkdir(const char *path, mode_t mode) {
  if (path_fails(path, 1)) return -1;
  return REAL(int, mkdir, const char *, mode_t)(path, mode);
}
int rename(const char *from, const char *to) {
  if (path_fails(to, 0)) return -1;
  return REAL(int, rename, const char *, const char *)(from, to);
}
int link(const char *from, const char *to) {
  if (path_fails(to, 1)) return -1;
  return REAL(int, link, const char *, const char *)(from, to);
}
int unlink(const char *path) {
  if (path_fails(path, 0)) return -1;
  return REAL(int, unlink, const char *)(path);
}
