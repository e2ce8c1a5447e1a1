/*
 * docker-init [--] PROGRAM [ARG...]: process 1 of a container that was asked for with --init. What it does:
 *
 * - starts PROGRAM as its child, in a process group of its own that gets the terminal, if there is one
 * - sends every signal it gets on to the child, but SIGCHLD and those of its own faults
 * - waits for every process of the container that ends, so that none stays a zombie
 * - ends with the child's exit code, or 128 and the number of the signal that killed it; the kernel ends the rest
 *
 * Exit codes of its own: 127 PROGRAM was not found, 126 it cannot be run, 125 wrong use or no process could be made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Faults of this program itself: were they blocked, the kernel would kill it all the same. */
static const int OWN_FAULTS[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

static void complain(const char *name, const char *reason) { fprintf(stderr, "docker-init: %s: %s\n", name, reason); }

static _Noreturn void become(char **words, const sigset_t *mask) {
  /* No terminal is no failure. SIGTTOU, which a group in the background gets for this, is still ignored. */
  if (setpgid(0, 0) == 0) tcsetpgrp(STDIN_FILENO, getpgrp());
  signal(SIGTTIN, SIG_DFL);
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(words[0], words);
  int error = errno;
  complain(words[0], strerror(error));
  _exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

/* Takes every ended process. The exit code of `child` if it was among them, else -1. */
static int reap(pid_t child) {
  int code = -1, status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) != 0;) {
    if (pid < 0 && errno != EINTR) return code; /* ECHILD: none is left */
    if (pid == child) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code;
}

int main(int argc, char **argv) {
  char **words = argv + 1;
  if (argc > 1 && strcmp(words[0], "--") == 0) words++;
  if (argc < 2 || words[0] == NULL) {
    complain("usage", "docker-init [--] PROGRAM [ARG...]");
    return 125;
  }
  sigset_t all, before;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof OWN_FAULTS / sizeof OWN_FAULTS[0]; i++) sigdelset(&all, OWN_FAULTS[i]);
  signal(SIGTTIN, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  if (child == 0) become(words, &before);
  if (child < 0) {
    complain("cannot make a process", strerror(errno));
    return 125;
  }
  for (;;) {
    int number = sigwaitinfo(&all, NULL);
    if (number == SIGCHLD) {
      int code = reap(child);
      if (code >= 0) return code;
    } else if (number > 0) {
      kill(child, number); /* ESRCH: it has ended, and SIGCHLD is next */
    }
  }
}
