/*
 * What tests run inside a tape; static, so that it needs no root filesystem. `probe WORD [ARGUMENT...]`, several words
 * separated by "then".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

static void all(int fd, const char *data, size_t bytes) {
  while (bytes > 0) {
    ssize_t n = write(fd, data, bytes);
    if (n < 0) _exit(99);
    data += n;
    bytes -= (size_t)n;
  }
}

/* COUNT numbered lines. */
static void lines(long count) {
  static char buffer[1 << 16];
  size_t used = 0;
  for (long i = 1; i <= count; i++) {
    used += (size_t)snprintf(buffer + used, 32, "line %ld\n", i);
    if (used < sizeof buffer - 64 && i < count) continue;
    all(STDOUT_FILENO, buffer, used);
    used = 0;
  }
}

/* COUNT MiB of lines of WIDTH bytes. */
static void flood(long mebibytes, long width) {
  static char buffer[1 << 16];
  memset(buffer, 'x', sizeof buffer);
  for (size_t i = (size_t)width - 1; i < sizeof buffer; i += (size_t)width) buffer[i] = '\n';
  for (long i = 0; i < mebibytes * 16; i++) all(STDOUT_FILENO, buffer, sizeof buffer);
}

static void copy(void) {
  static char buffer[1 << 16];
  for (ssize_t n; (n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0;) all(STDOUT_FILENO, buffer, (size_t)n);
  all(STDOUT_FILENO, "<end>\n", 6);
}

/* What a process must not inherit: descriptors, signal mask and dispositions, the parent's death signal. */
static void inherited(void) {
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  for (int fd = 0; fd < 4096; fd++)
    if (fcntl(fd, F_GETFD) >= 0) printf("fd %d\n", fd);
  for (int signal = 1; signal < 65; signal++) {
    struct sigaction action;
    if (sigismember(&mask, signal) == 1) printf("blocked %d\n", signal);
    if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL) printf("handled %d\n", signal);
  }
  int death = -1;
  prctl(PR_GET_PDEATHSIG, &death);
  printf("death signal %d\n", death);
  fflush(stdout);
}

static void size(void) {
  struct winsize size;
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0) printf("no terminal\n");
  else printf("%d rows %d columns\n", size.ws_row, size.ws_col);
  fflush(stdout);
}

static void on_resize(int signal) { (void)signal; }

/* Says the size once more after it was changed. */
static void resized(void) {
  struct sigaction action = {.sa_handler = on_resize};
  sigset_t change, before;
  sigemptyset(&change);
  sigaddset(&change, SIGWINCH);
  sigprocmask(SIG_BLOCK, &change, &before); /* a change that comes before we wait is not lost */
  sigaction(SIGWINCH, &action, NULL);
  printf("waiting\n");
  fflush(stdout);
  sigsuspend(&before);
  size();
}

/* A process that outlives this one and holds its output. */
static void leave_behind(void) {
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    for (;;) pause();
  }
  printf("%d\n", pid);
  fflush(stdout);
}

/* Traces a process, and never waits for it. */
static void seize(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0) printf("not seized: %s\n", strerror(errno));
  else printf("seized\n");
  fflush(stdout);
}

static void close_input(void) {
  close(STDIN_FILENO);
  all(STDOUT_FILENO, "closed\n", 7);
}

static void word(int argc, char **argv) {
  const char *w = argv[0];
  long number = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
  if (strcmp(w, "exit") == 0) _exit((int)number);
  else if (strcmp(w, "print") == 0) all(STDOUT_FILENO, argv[1], strlen(argv[1]));
  else if (strcmp(w, "complain") == 0) all(STDERR_FILENO, argv[1], strlen(argv[1]));
  else if (strcmp(w, "lines") == 0) lines(number);
  else if (strcmp(w, "flood") == 0) flood(number, argc > 2 ? strtol(argv[2], NULL, 10) : 100);
  else if (strcmp(w, "copy") == 0) copy();
  else if (strcmp(w, "close-input") == 0) close_input();
  else if (strcmp(w, "inherited") == 0) inherited();
  else if (strcmp(w, "size") == 0) size();
  else if (strcmp(w, "resized") == 0) resized();
  else if (strcmp(w, "leave-behind") == 0) leave_behind();
  else if (strcmp(w, "seize") == 0) seize((pid_t)number);
  else if (strcmp(w, "kill") == 0) kill(getpid(), (int)number);
  else if (strcmp(w, "hang") == 0) for (;;) pause();
  else if (strcmp(w, "true") != 0) _exit(64);
}

int main(int argc, char **argv) {
  for (int first = 1; first < argc;) {
    int next = first;
    while (next < argc && strcmp(argv[next], "then") != 0) next++;
    word(next - first, argv + first);
    first = next + 1;
  }
  return 0;
}
