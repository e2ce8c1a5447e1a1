/*
 * carafe-spawner CONTROL REPORTS: the zygote. Started once by the daemon; forks a monitor for every request and does
 * nothing else. What it does to the system:
 *
 * - leaves the daemon's session: no terminal and no signal to the daemon's process group reaches it or a monitor
 * - works in / with umask 022, default signal dispositions and no signal blocked; its children are not waited for
 * - is not dumpable: no process of a container may trace or open what is ours before it became something else
 * - fills descriptors 0 to 31 with /dev/null, keeps its two sockets and /proc above, closes all others
 * - ends when the daemon closes the control socket; the monitors stay
 *
 * CONTROL and REPORTS are descriptor numbers of SOCK_SEQPACKET sockets, see tape.h. The second is shared with the
 * monitors, which answer for themselves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"
#include "report.h"
#include "sys.h"

struct spawner {
  int control;
  struct launch launch; /* the request at hand; what stays the same is filled in once */
};

static void plain_signals(void) {
  static const uint64_t as_default[4]; /* the kernel's struct sigaction: handler SIG_DFL, no flags, empty mask */
  for (unsigned signal = 1; signal <= 64; signal++) /* by hand: libc keeps 32 and 33 from us; KILL and STOP: EINVAL */
    sys_call(SYS_rt_sigaction, signal, (uint64_t)(uintptr_t)as_default, 0, 8, 0, 0);
  struct sigaction plain = {.sa_handler = SIG_IGN};
  sigaction(SIGCHLD, &plain, NULL); /* dead monitors vanish by themselves */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves `fd` out of the tape's range. */
static int lift(int fd) {
  int lifted = fcntl(fd, F_DUPFD_CLOEXEC, TAPE_FIXED_FDS);
  close(fd);
  return lifted;
}

static int arrange_descriptors(struct spawner *spawner, int control, int reports) {
  unsigned low = (unsigned)(control < reports ? control : reports);
  unsigned high = (unsigned)(control < reports ? reports : control);
  if (low > 0) close_range(0, low - 1, 0);
  if (high > low + 1) close_range(low + 1, high - 1, 0);
  close_range(high + 1, ~0u, 0);
  spawner->control = lift(control);
  spawner->launch.reports = lift(reports);
  spawner->launch.proc = lift(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  int null = lift(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (spawner->control < 0 || spawner->launch.reports < 0 || spawner->launch.proc < 0 || null < 0) return -1;
  for (int fd = 0; fd < TAPE_FIXED_FDS; fd++)
    if (dup3(null, fd, fd <= STDERR_FILENO ? 0 : O_CLOEXEC) < 0) return -1;
  return close(null);
}

static void refuse(const struct spawner *spawner, uint32_t step, int error) {
  struct tape_report report = {.kind = TAPE_FAILED, .step = step, .id = spawner->launch.id, .error = error};
  report_send(spawner->launch.reports, &report, NULL, 0, -1, 0);
}

static void close_request(struct launch *launch) {
  for (int i = 0; i < launch->count; i++) close(launch->fds[i]);
  launch->count = 0;
}

/* Takes one request. 0, -EPIPE when the daemon is gone, -EINVAL for what is none (its descriptors are there). */
static int receive(struct spawner *spawner) {
  struct launch *launch = &spawner->launch;
  struct tape_request request = {0};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof launch->fds)];
  } control;
  struct iovec part = {&request, sizeof request};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n;
  while ((n = recvmsg(spawner->control, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (n <= 0) return -EPIPE;
  launch->count = 0;
  launch->id = request.id;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t bytes = c->cmsg_len - CMSG_LEN(0);
    memcpy(launch->fds, CMSG_DATA(c), bytes);
    launch->count = (int)(bytes / sizeof(int));
  }
  if (n != sizeof request || request.magic != TAPE_MAGIC || request.version != TAPE_VERSION) return -EINVAL;
  return (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0 && launch->count > 0 ? 0 : -EINVAL;
}

static void fork_monitor(struct spawner *spawner) {
  int pidfd = -1;
  long pid = sys_clone3(0, &pidfd, SIGCHLD, -1);
  if (pid == 0) {
    close(spawner->control);
    launch(&spawner->launch);
  }
  if (pid < 0) {
    refuse(spawner, TAPE_AT_FORK, (int)-pid);
    return;
  }
  struct tape_report report = {.kind = TAPE_FORKED, .id = spawner->launch.id, .pid = (int32_t)pid};
  report_send(spawner->launch.reports, &report, NULL, 0, pidfd, 0);
  close(pidfd);
}

/* Where ps(1) finds our command line: the arguments and, behind them, the environment, which we do not need. */
static void find_title(struct launch *launch, int argc, char **argv) {
  char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
  for (char **variable = environ; *variable != NULL; variable++)
    if (*variable == end) end += strlen(end) + 1;
  launch->title = argv[0];
  launch->title_bytes = (size_t)(end - argv[0]);
}

int main(int argc, char **argv) {
  static struct spawner spawner;
  if (argc != 3) return 64;
  int control = (int)strtol(argv[1], NULL, 10), reports = (int)strtol(argv[2], NULL, 10);
  find_title(&spawner.launch, argc, argv);
  if (setsid() < 0 && errno != EPERM) return 71; /* EPERM: leads a group already */
  plain_signals();
  umask(022);
  if (chdir("/") < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 || arrange_descriptors(&spawner, control, reports) < 0) return 71;
  prctl(PR_SET_NAME, "carafe-spawner");
  for (;;) {
    int rc = receive(&spawner);
    if (rc == -EPIPE) return 0;
    if (rc < 0) refuse(&spawner, TAPE_AT_BLOB, -rc);
    else fork_monitor(&spawner);
    close_request(&spawner.launch);
  }
}
