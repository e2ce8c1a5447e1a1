#define _GNU_SOURCE
#include "ending.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"
#include "text.h"

enum {
  AFTER_NAME = 2,       /* the second field, in parentheses, is the only one that may hold blanks and parentheses */
  EXIT_CODE_FIELD = 52,
  AGAIN_MILLIS = 10,    /* between two looks at an end that is signalled and not told */
};

/* Reads the file into `text`, ended by 0. */
static bool read_stat(int proc, pid_t pid, char *text, size_t room) {
  char path[40];
  text_put(text_number(path, (uint64_t)pid), "/stat")[0] = 0;
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, room - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  return n > 0;
}

/* The field of that number (counted from 1), or NULL. */
static const char *field(const char *stat, int number) {
  const char *at = strrchr(stat, ')');
  for (int i = AFTER_NAME; at != NULL && i < number; i++) {
    at = strchr(at, ' ');
    if (at != NULL) at++;
  }
  return at;
}

/* Nobody but us reaps our child, so its number stays its own; a pidfd without a process would say that it does not. */
static bool is_still(int pidfd) { return sys_call(SYS_pidfd_send_signal, (uint64_t)pidfd, 0, 0, 0, 0, 0) != -ESRCH; }

static bool zombie_of_a_tracer(int proc, pid_t pid, int pidfd, struct ending *ending) {
  char stat[1024];
  if (!read_stat(proc, pid, stat, sizeof stat) || !is_still(pidfd)) return false;
  const char *state = field(stat, AFTER_NAME + 1), *code = field(stat, EXIT_CODE_FIELD);
  if (state == NULL || code == NULL || *state != 'Z') return false;
  int status = (int)strtol(code, NULL, 10); /* in the form of waitpid(2) */
  ending->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  ending->code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return true;
}

bool ending_known(int proc, pid_t pid, int pidfd, struct ending *ending) {
  siginfo_t info = {0};
  if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) return false;
  if (info.si_pid == 0) {
    /* Without the poll a leader whose threads still run would be taken for the end of all. */
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    return poll(&ended, 1, 0) == 1 && zombie_of_a_tracer(proc, pid, pidfd, ending);
  }
  ending->signal = info.si_code != CLD_EXITED ? info.si_status : 0;
  ending->code = info.si_code == CLD_EXITED ? info.si_status : 0;
  return true;
}

static int64_t millis_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool ending_await(int proc, pid_t pid, int pidfd, int millis, struct ending *ending) {
  int64_t end = millis_now() + millis;
  for (int64_t left = millis; left > 0; left = end - millis_now()) {
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    if (poll(&ended, 1, (int)left) == 1 && ending_known(proc, pid, pidfd, ending)) return true;
    if (ended.revents != 0) poll(NULL, 0, AGAIN_MILLIS);
  }
  return false;
}
