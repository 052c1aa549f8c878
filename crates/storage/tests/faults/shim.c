/* Makes system calls fail, as file servers and full disks do. FAULT is "<calls>:<errno>", where <calls> is one of
   metadata (chmod, utimes, chown), write, sync. FAULT_UNDER restricts it to files whose path contains a text.
   Renaming is not among them: it bypasses the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int fails(const char *calls) {
  const char *fault = getenv("FAULT");
  size_t length = strlen(calls);
  if (!fault || strncmp(fault, calls, length) != 0 || fault[length] != ':') return 0;
  errno = atoi(fault + length + 1);
  return 1;
}

static int under(const char *path) {
  const char *text = getenv("FAULT_UNDER");
  return path && (!text || strstr(path, text));
}

static int fd_fails(const char *calls, int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return under(path) && fails(calls);
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

int chmod(const char *path, mode_t mode) {
  if (under(path) && fails("metadata")) return -1;
  return REAL(int, chmod, const char *, mode_t)(path, mode);
}
int fchmod(int fd, mode_t mode) {
  if (fd_fails("metadata", fd)) return -1;
  return REAL(int, fchmod, int, mode_t)(fd, mode);
}
int futimens(int fd, const struct timespec times[2]) {
  if (fd_fails("metadata", fd)) return -1;
  return REAL(int, futimens, int, const struct timespec *)(fd, times);
}
int utimensat(int dir, const char *path, const struct timespec times[2], int flags) {
  if (under(path) && fails("metadata")) return -1;
  return REAL(int, utimensat, int, const char *, const struct timespec *, int)(dir, path, times, flags);
}
ssize_t write(int fd, const void *bytes, size_t count) {
  if (fd_fails("write", fd)) return -1;
  return REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, count);
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
  if (fd_fails("write", out)) return -1;
  return REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned)(in, from, out, to, count, flags);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
  if (fd_fails("write", out)) return -1;
  return REAL(ssize_t, sendfile64, int, int, off64_t *, size_t)(out, in, offset, count);
}
int fsync(int fd) {
  if (fd_fails("sync", fd)) return -1;
  return REAL(int, fsync, int)(fd);
}
