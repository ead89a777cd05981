/* Makes every fsync and fdatasync of a process late, by as many milliseconds as a file says at that moment. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_as_told(void) {
  const char *path = getenv("SLOW_FSYNC_FILE");
  char text[16] = {0};
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  if (read(fd, text, sizeof text - 1) > 0) usleep((useconds_t)atoi(text) * 1000);
  close(fd);
}

int fsync(int fd) {
  wait_as_told();
  return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
  wait_as_told();
  return (int)syscall(SYS_fdatasync, fd);
}
