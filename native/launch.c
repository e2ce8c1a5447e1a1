/*
 * Plays a tape: its monitor part here, then clone3, its child part there. What the system sees of it besides the tape:
 * a new session, all signals blocked (the process gets an empty mask), the name carafe-monitor, oom_score_adj -999
 * after the clone, every descriptor closed that nobody asked to keep. SIGTERM before the program runs cancels the
 * launch.
 */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ending.h"
#include "monitor.h"
#include "player.h"
#include "report.h"
#include "sys.h"

enum { REAP_MILLIS = 5000 }; /* how long a start that failed waits for its process to be gone before it is reported */

/* Everything between fork and the running program. */
struct play {
  struct launch *launch;
  struct tape tape;
  struct progress *progress; /* shared with the process */
  int alive[2];              /* a pipe: the process holds the write end until it executes or dies */
  int pidfd;
  pid_t pid;
};

static _Noreturn void fail(const struct launch *launch, uint32_t step, int error, int signal) {
  struct tape_report report = {.kind = TAPE_FAILED, .step = step, .id = launch->id, .error = error, .signal = signal};
  report_send(launch->reports, &report, NULL, 0, -1, 0); /* if the daemon is gone, nobody is left to tell */
  _exit(1);
}

static void block_signals(void) {
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigaction(SIGCHLD, &plain, NULL); /* the spawner ignores it; we want to hear of our child */
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
}

static struct progress *share_progress(uint64_t began, uint32_t steps) {
  size_t bytes = sizeof(struct progress) + (steps + TAPE_MARKS) * sizeof(uint64_t);
  struct progress *progress = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (progress == MAP_FAILED) return NULL;
  progress->began = began;
  progress->steps = steps;
  return progress;
}

/* ---- in the process, after clone3: system calls only ---- */

static _Noreturn void child(struct play *play) {
  struct progress *progress = play->progress;
  const struct tape_header *header = play->tape.header;
  progress->step = header->monitor_steps;
  progress->marks[progress->steps + TAPE_MARK_CHILD] = progress_now(progress);
  sys_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
  sys_call(SYS_close, (uint64_t)play->alive[0], 0, 0, 0, 0, 0);
  /* The monitor may have died before prctl. Its end of the pipe closes before its children are told, so if that is
     still open now, the signal will come. */
  struct pollfd pipe = {.fd = play->alive[1]};
  struct timespec now = {0, 0};
  if (sys_call(SYS_ppoll, (uint64_t)(uintptr_t)&pipe, 1, (uint64_t)(uintptr_t)&now, 0, 0, 0) != 0)
    sys_call(SYS_exit_group, 1, 0, 0, 0, 0, 0);
  uint64_t none = 0;
  sys_call(SYS_rt_sigprocmask, SIG_SETMASK, (uint64_t)(uintptr_t)&none, 0, sizeof none, 0, 0);
  int error = tape_play(&play->tape, progress, header->monitor_steps, header->child_steps);
  if (error == 0) progress->error = ENOEXEC; /* a tape that never became a program */
  for (;;) sys_call(SYS_exit_group, 1, 0, 0, 0, 0, 0);
}

/* ---- in the monitor ---- */

static int sorted_kept(const struct play *play, int *kept, size_t room) {
  const struct tape_header *h = play->tape.header;
  size_t n = 0;
  const int own[] = {0, 1, 2, play->launch->reports, play->launch->proc, play->alive[0], play->pidfd};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) kept[n++] = own[i];
  for (uint32_t slot = 0; slot < h->slot_count && n < room; slot++)
    if ((h->keep[slot / 64] >> (slot % 64) & 1) != 0 && play->tape.slots[slot] >= 0) kept[n++] = play->tape.slots[slot];
  for (size_t i = 1; i < n; i++)
    for (size_t j = i; j > 0 && kept[j - 1] > kept[j]; j--) {
      int higher = kept[j - 1];
      kept[j - 1] = kept[j];
      kept[j] = higher;
    }
  return (int)n;
}

/* Closes all that is not kept. */
static void close_rest(const struct play *play) {
  int kept[TAPE_MAX_SLOTS + 7];
  int n = sorted_kept(play, kept, sizeof kept / sizeof kept[0]);
  unsigned first = 0;
  for (int i = 0; i < n; i++) {
    unsigned fd = (unsigned)kept[i];
    if (fd > first) close_range(first, fd - 1, 0);
    if (fd >= first) first = fd + 1;
  }
  close_range(first, ~0u, 0);
}

static void protect_from_oom(const struct launch *launch) {
  int fd = openat(launch->proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t n = write(fd, "-999", 4); /* EPERM, EACCES: not permitted to lower it; then we are killed as soon as others */
  (void)n;
  close(fd);
}

static void show_title(const struct launch *launch, const char *title) {
  prctl(PR_SET_NAME, "carafe-monitor");
  if (launch->title_bytes < 2) return;
  memset(launch->title, 0, launch->title_bytes);
  const char *words[] = {"carafe-monitor ", title != NULL ? title : ""};
  size_t used = 0;
  for (size_t i = 0; i < 2; i++)
    for (const char *c = words[i]; *c != 0 && used + 1 < launch->title_bytes; c++) launch->title[used++] = *c;
}

/* Kills the process if it lives, and reaps it. One that somebody stopped on its way out with ptrace(2) may not be gone
   in time: then nothing is known of its end. */
static struct ending reap(const struct play *play) {
  struct ending ending = {0};
  sys_call(SYS_pidfd_send_signal, (uint64_t)play->pidfd, SIGKILL, 0, 0, 0, 0);
  ending_await(play->launch->proc, play->pid, play->pidfd, REAP_MILLIS, &ending);
  return ending;
}

/* Waits until the process holds the pipe no more: it runs its program, or is dead. False: cancelled. */
static bool await_exec(const struct play *play) {
  sigset_t cancel;
  sigemptyset(&cancel);
  sigaddset(&cancel, SIGTERM);
  int cancelled = signalfd(-1, &cancel, SFD_CLOEXEC);
  struct pollfd fds[2] = {{.fd = play->alive[0], .events = POLLIN}, {.fd = cancelled, .events = POLLIN}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) {
  }
  if (cancelled >= 0) close(cancelled);
  return fds[0].revents != 0;
}

static void report_process(const struct play *play, uint32_t kind, int pidfd) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct tape_report report = {.kind = kind,
                               .id = play->launch->id,
                               .pid = play->pid,
                               .seconds = now.tv_sec,
                               .nanos = (uint32_t)now.tv_nsec};
  size_t bytes = 0;
  if (kind == TAPE_RUNNING) {
    report.count = play->progress->steps + TAPE_MARKS;
    bytes = report.count * sizeof(uint64_t);
  }
  report_send(play->launch->reports, &report, play->progress->marks, bytes, pidfd, 0);
}

/* ---- the process is born in a user namespace that was made before ---- */

struct birth {
  struct play *play;
  uint64_t flags;
  int cgroup;
  long pid; /* or -errno */
};

/* The midwife: shares memory and descriptors with the monitor, enters the user namespace in its place, and clones a
   process that is the monitor's child. So the monitor itself never is where the container has a say. */
static int deliver(void *argument) {
  struct birth *birth = argument;
  struct play *play = birth->play;
  const struct tape_header *header = play->tape.header;
  long rc = sys_call(SYS_setns, (uint64_t)play->tape.slots[header->user_slot], CLONE_NEWUSER, 0, 0, 0, 0);
  if (rc == 0 && header->pid_slot != TAPE_NONE) /* for the process only: nobody there ever sees the midwife */
    rc = sys_call(SYS_setns, (uint64_t)play->tape.slots[header->pid_slot], CLONE_NEWPID, 0, 0, 0, 0);
  if (rc == 0) rc = sys_clone3(birth->flags | CLONE_PARENT, &play->pidfd, 0, birth->cgroup);
  if (rc == 0) child(play);
  birth->pid = rc;
  for (;;) sys_call(SYS_exit, 0, 0, 0, 0, 0, 0);
}

static long clone_in_user_namespace(struct play *play, uint64_t flags, int cgroup) {
  static _Alignas(16) uint8_t stack[64 << 10];
  struct birth birth = {.play = play, .flags = flags, .cgroup = cgroup, .pid = -ECHILD};
  int midwife = clone(deliver, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, &birth);
  if (midwife < 0) return -errno;
  while (waitpid(midwife, NULL, 0) < 0 && errno == EINTR) {
  }
  return birth.pid;
}

static void start_process(struct play *play) {
  const struct launch *launch = play->launch;
  struct progress *progress = play->progress;
  const struct tape_header *header = play->tape.header;
  uint64_t flags = header->clone_flags;
  int cgroup = -1;
  if (header->cgroup_slot != TAPE_NONE) {
    cgroup = play->tape.slots[header->cgroup_slot];
    flags |= CLONE_INTO_CGROUP;
  }
  if (pipe2(play->alive, O_CLOEXEC) < 0) fail(launch, TAPE_AT_CLONE, errno, 0);
  progress->marks[progress->steps + TAPE_MARK_CLONE] = progress_now(progress);
  long pid = header->user_slot == TAPE_NONE ? sys_clone3(flags, &play->pidfd, SIGCHLD, cgroup)
                                            : clone_in_user_namespace(play, flags, cgroup);
  if (pid == 0) child(play);
  if (pid < 0) fail(launch, TAPE_AT_CLONE, (int)-pid, 0);
  progress->marks[progress->steps + TAPE_MARK_CLONED] = progress_now(progress);
  play->pid = (pid_t)pid;
  close(play->alive[1]);
  if (header->announce != 0) report_process(play, TAPE_CLONED, play->pidfd);
}

static void finish_start(struct play *play) {
  const struct progress *progress = play->progress;
  bool ended = await_exec(play);
  if (!ended || progress->error != 0 || !__atomic_load_n(&progress->executing, __ATOMIC_ACQUIRE)) {
    struct ending ending = reap(play);
    if (!ended) fail(play->launch, progress->step, ECANCELED, 0);
    bool killed = ending.signal != 0 && progress->error == 0;
    int error = progress->error != 0 || killed ? progress->error : ESRCH; /* it left without a word: a dead monitor? */
    fail(play->launch, progress->step, error, killed ? ending.signal : 0);
  }
  close(play->alive[0]);
  play->progress->marks[progress->steps + TAPE_MARK_RUNNING] = progress_now(progress);
}

_Noreturn void launch(struct launch *launch) {
  struct play play = {.launch = launch, .pidfd = -1, .alive = {-1, -1}};
  struct timespec began;
  clock_gettime(CLOCK_MONOTONIC, &began);
  setsid(); /* fails never: a forked process leads no group */
  block_signals();
  int rc = tape_open(&play.tape, launch->fds[0]);
  if (rc < 0) fail(launch, TAPE_AT_BLOB, -rc, 0);
  const struct tape_header *header = play.tape.header;
  if ((uint32_t)launch->count != header->passed_count + 1) fail(launch, TAPE_AT_BLOB, ENOEXEC, 0);
  for (uint32_t slot = 0; slot < header->passed_count; slot++) tape_fill(&play.tape, slot, launch->fds[slot + 1]);
  uint64_t nanos = (uint64_t)began.tv_sec * 1000000000u + (uint64_t)began.tv_nsec;
  play.progress = share_progress(nanos, header->monitor_steps + header->child_steps);
  if (play.progress == NULL) fail(launch, TAPE_AT_CLONE, ENOMEM, 0);
  rc = tape_play(&play.tape, play.progress, 0, header->monitor_steps);
  if (rc < 0) fail(launch, play.progress->step, -rc, 0);
  start_process(&play);

  /* While the process plays its part: */
  protect_from_oom(launch);
  close_rest(&play);
  show_title(launch, tape_text(&play.tape, header->plan.title));
  struct monitor *monitor = monitor_prepare(&play.tape, launch->reports, launch->id);
  finish_start(&play);
  monitor_started(monitor, play.pid, play.pidfd, launch->proc);
  report_process(&play, TAPE_RUNNING, header->announce != 0 ? -1 : play.pidfd);
  munmap(play.progress, sizeof(struct progress) + (play.progress->steps + TAPE_MARKS) * sizeof(uint64_t));
  munmap(play.tape.blob, play.tape.bytes);
  monitor_run(monitor);
}
