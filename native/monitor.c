/*
 * The loop of a monitor: one poll(2), everything it waits for computed from what is. While the process lives it moves
 * output from its pipes (or the terminal's master) to the log and the clients, and input of clients to the process.
 * When the process has ended it takes what is left in the pipes, writes the exit record, tells daemon and watchers,
 * makes the record durable, waits a little for slow clients, and ends. It removes nothing.
 */
#define _GNU_SOURCE
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "ending.h"
#include "exit.h"
#include "log.h"
#include "report.h"

enum {
  STALL_MILLIS = 5000, /* after the end: how long a client may take nothing before it is dropped */
  IDLE_MILLIS = 200,   /* without events until idle buffers are given back */
  UNCLEAR_MILLIS = 100, /* until an end is looked at again that is signalled and cannot be told yet */
  REST_BYTES = 1 << 20, /* most that is read of a stream after the end: no pipe holds more */
  READS = 8,           /* of one stream in a row */
};

/* Places in the array for poll. */
enum { AT_PROCESS, AT_DAEMON, AT_LISTENER, AT_INPUT, AT_STDOUT, AT_STDERR, AT_CLIENTS };

struct monitor {
  uint64_t id;
  int reports;     /* -1: the daemon that started this is gone */
  int listener;    /* or -1 */
  int pidfd;       /* -1: the process has ended */
  int proc;        /* the host's /proc */
  int terminal;    /* the master, or -1 */
  int stdin_fd;    /* or -1 */
  int out[LOG_STREAMS]; /* or -1 */
  uint32_t rest[LOG_STREAMS]; /* bytes still to be read at most, after the end */
  int exit_directory;
  char exit_name[TAPE_MAX_NAME + 1];
  bool touched;    /* buffers may hold memory worth giving back */
  bool told;       /* all have heard of the end, but perhaps the daemon */
  bool unsent;     /* the daemon still has to hear of it */
  bool unwritten;  /* the record of it could not be written yet */
  uint64_t moved;  /* when (ms) something was last taken by anyone */
  uint64_t unclear; /* until when (ms) the process is not looked at, for its end could not be told; 0: it is */
  uint64_t deaf;   /* until when (ms) nobody is accepted, for lack of descriptors; 0: all are */
  struct tape_exit exit;
  struct log log;
  struct clients clients;
  struct pollfd poll[AT_CLIENTS + CLIENT_LIMIT];
};

static uint64_t millis(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int slot_fd(const struct tape *tape, uint32_t slot) { return slot == TAPE_NONE ? -1 : tape->slots[slot]; }

static void unblock(int fd) {
  int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
  if (flags >= 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

struct monitor *monitor_prepare(const struct tape *tape, int reports, uint64_t id) {
  static struct monitor monitor; /* the only one of this process; its big buffers cost nothing until they are used */
  struct monitor *m = &monitor;
  const struct tape_plan *plan = &tape->header->plan;
  m->id = id;
  m->reports = reports;
  m->listener = slot_fd(tape, plan->listener_slot);
  m->stdin_fd = slot_fd(tape, plan->stdin_slot);
  m->out[LOG_STDOUT] = slot_fd(tape, plan->stdout_slot);
  m->out[LOG_STDERR] = slot_fd(tape, plan->stderr_slot);
  m->terminal = (plan->flags & TAPE_PLAN_TERMINAL) != 0 ? m->out[LOG_STDOUT] : -1;
  m->exit_directory = slot_fd(tape, plan->exit_slot);
  if (plan->exit_name != TAPE_NONE) text_put(m->exit_name, tape_text(tape, plan->exit_name))[0] = 0;
  unblock(m->listener);
  unblock(m->stdin_fd);
  unblock(m->out[LOG_STDOUT]);
  unblock(m->out[LOG_STDERR]);
  m->clients.frames = m->terminal < 0;
  m->clients.input_open = m->stdin_fd >= 0;
  m->clients.input_once = m->terminal < 0 && (plan->flags & TAPE_PLAN_STDIN_ONCE) != 0;
  const struct tape_client *clients = (const void *)(tape->blob + plan->clients_offset);
  for (uint32_t i = 0; i < plan->client_count; i++) {
    int fd = tape->slots[clients[i].slot];
    struct client *client = fd < 0 ? NULL : client_add(&m->clients, fd);
    if (client != NULL) client_attach(client, clients[i].streams);
  }
  log_open(&m->log, slot_fd(tape, plan->log_slot), tape_text(tape, plan->log_name), plan->log_bytes, plan->log_files);
  return m;
}

void monitor_started(struct monitor *m, pid_t pid, int pidfd, int proc) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  m->pidfd = pidfd;
  m->proc = proc;
  m->exit.pid = pid;
  m->exit.started_seconds = now.tv_sec;
  m->exit.started_nanos = (uint32_t)now.tv_nsec;
}

/* ---- the process's streams ---- */

static void end_stream(struct monitor *m, int stream, const struct timespec *now) {
  log_end(&m->log, stream, now);
  if (m->out[stream] != m->terminal) close(m->out[stream]);
  m->out[stream] = -1;
}

/* Takes one chunk; false: there is no more now. */
static bool take_chunk(struct monitor *m, int stream) {
  struct clients *clients = &m->clients;
  size_t room = CHUNK_BYTES;
  if (m->pidfd < 0 && m->rest[stream] < room) room = m->rest[stream];
  ssize_t n = room == 0 ? 0 : read(m->out[stream], clients->chunk[stream], room);
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && errno == EAGAIN && m->pidfd >= 0) return false;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (n <= 0) { /* nobody can write any more, EIO of a terminal without a process, or nothing is left after the end */
    end_stream(m, stream, &now);
    return false;
  }
  if (m->pidfd < 0) m->rest[stream] -= (uint32_t)n;
  m->touched = true;
  log_feed(&m->log, stream, clients->chunk[stream], (size_t)n, &now);
  clients_give(clients, stream, (uint32_t)n);
  return true;
}

static void take_output(struct monitor *m, int stream) {
  for (int i = 0; i < READS && m->out[stream] >= 0 && clients_ready(&m->clients, stream); i++)
    if (!take_chunk(m, stream)) return;
}

static void close_input(struct monitor *m) {
  if (m->stdin_fd != m->terminal) close(m->stdin_fd);
  m->stdin_fd = -1;
  m->clients.input_open = false;
  m->clients.input_bytes = 0;
}

static void give_input(struct monitor *m) {
  struct clients *c = &m->clients;
  while (c->input_bytes > c->input_done) {
    ssize_t n = write(m->stdin_fd, c->input + c->input_done, c->input_bytes - c->input_done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) { /* nobody reads it any more */
      close_input(m);
      return;
    }
    c->input_done += (uint32_t)n;
    m->touched = true;
  }
  c->input_bytes = 0;
}

/* ---- clients ---- */

static int resize(const struct monitor *m, const struct tape_hello *hello) {
  struct winsize size = {.ws_row = hello->rows, .ws_col = hello->columns};
  if (m->terminal < 0) return ENOTTY;
  return ioctl(m->terminal, TIOCSWINSZ, &size) < 0 ? errno : 0;
}

static struct tape_state state_of(const struct monitor *m) {
  struct tape_state state = {.monitor_pid = getpid(),
                             .pid = m->exit.pid,
                             .started_seconds = m->exit.started_seconds,
                             .started_nanos = m->exit.started_nanos,
                             .lost_lines = m->log.lost};
  for (uint32_t i = 0; i < m->clients.count; i++) {
    const struct client *client = &m->clients.all[i];
    if (client->fd >= 0 && client->state == CLIENT_ATTACHED) state.clients++;
  }
  return state;
}

static void answer(struct monitor *m, struct client *client) {
  struct clients *clients = &m->clients;
  struct tape_state state;
  switch (client->hello.kind) {
    case TAPE_ATTACH:
      if (!client_answer(clients, client, 0, NULL, 0)) return;
      client_attach(client, client->hello.streams & TAPE_STREAMS);
      if (m->told) client_end(clients, client);
      return;
    case TAPE_RESIZE:
      client_answer(clients, client, resize(m, &client->hello), NULL, 0);
      return;
    case TAPE_STATE:
      state = state_of(m);
      client_answer(clients, client, 0, &state, sizeof state);
      return;
    case TAPE_WATCH:
      if (!m->told) client->state = CLIENT_WATCHING;
      else if (client_answer(clients, client, 0, &m->exit, sizeof m->exit)) client_end(clients, client);
      return;
    default:
      if (client_answer(clients, client, ENOSYS, NULL, 0)) client_end(clients, client);
  }
}

static void greet(struct monitor *m, struct client *client) {
  while (client->fd >= 0 && client->state == CLIENT_GREETING && client_greeting(&m->clients, client))
    answer(m, client);
}

static void accept_clients(struct monitor *m) {
  for (;;) {
    int fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) m->deaf = millis() + IDLE_MILLIS;
      return;
    }
    struct client *client = client_add(&m->clients, fd);
    if (client != NULL) greet(m, client);
  }
}

static void serve(struct monitor *m, struct client *client, short events) {
  struct clients *clients = &m->clients;
  if ((events & POLLHUP) != 0) client_lose(client);
  if ((events & POLLOUT) != 0 && client->pending != 0) {
    client_send(clients, client);
    m->moved = millis();
  }
  if ((events & POLLIN) != 0 && client->state == CLIENT_GREETING)
    greet(m, client);
  else if ((events & POLLIN) != 0 && (client->state != CLIENT_ATTACHED || clients_listen(clients)))
    client_listen(clients, client);
  if (client->fd >= 0 && client->gone && (!client->input || client->state != CLIENT_ATTACHED))
    client_drop(clients, client);
}

/* ---- the end ---- */

static void note_end(struct monitor *m) {
  struct ending ending;
  if (!ending_known(m->proc, m->exit.pid, m->pidfd, &ending)) {
    m->unclear = millis() + UNCLEAR_MILLIS;
    return;
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  m->exit.signal = ending.signal;
  m->exit.code = ending.signal != 0 ? 128 + ending.signal : ending.code;
  m->exit.finished_seconds = now.tv_sec;
  m->exit.finished_nanos = (uint32_t)now.tv_nsec;
  close(m->pidfd);
  m->pidfd = -1;
  m->rest[LOG_STDOUT] = m->rest[LOG_STDERR] = REST_BYTES;
  m->moved = millis();
}

static void tell_daemon(struct monitor *m) {
  struct tape_report report = {.kind = TAPE_EXITED, .id = m->id, .pid = m->exit.pid};
  int rc = report_send(m->reports, &report, &m->exit, sizeof m->exit, -1, MSG_DONTWAIT);
  m->unsent = rc == -EAGAIN;
}

/* Answers the file to be synced, or -1. A record that cannot be written now (full disk) is tried again; a directory
   that was removed wants none. */
static int record_end(struct monitor *m) {
  int file = m->exit_directory < 0 ? -ENOENT : exit_write(m->exit_directory, m->exit_name, &m->exit);
  m->unwritten = file < 0 && file != -ENOENT;
  return file < 0 ? -1 : file;
}

/* All output was taken and logged. */
static void tell_all(struct monitor *m) {
  log_flush(&m->log);
  m->exit.lost_lines = m->log.lost;
  int file = record_end(m);
  m->told = true;
  m->moved = millis();
  if (m->reports >= 0) tell_daemon(m);
  for (uint32_t i = 0; i < m->clients.count; i++) {
    struct client *client = &m->clients.all[i];
    if (client->fd >= 0 && client->state == CLIENT_WATCHING) {
      client->state = CLIENT_GREETING;
      if (client_answer(&m->clients, client, 0, &m->exit, sizeof m->exit)) client_end(&m->clients, client);
    }
  }
  if (file >= 0) exit_sync(m->exit_directory, file);
}

/* After the end: goes on with it as far as possible. True when nothing is left to do. */
static bool wind_up(struct monitor *m) {
  for (int stream = 0; stream < LOG_STREAMS; stream++)
    while (m->out[stream] >= 0 && clients_ready(&m->clients, stream)) take_chunk(m, stream);
  bool stalled = millis() - m->moved >= STALL_MILLIS;
  if (m->out[LOG_STDOUT] < 0 && m->out[LOG_STDERR] < 0 && !m->told) tell_all(m);
  int file = m->unwritten && stalled ? record_end(m) : -1;
  if (file >= 0) exit_sync(m->exit_directory, file);
  bool left = (m->unsent && m->reports >= 0 && !stalled) || (m->unwritten && (m->unsent || m->reports < 0));
  for (uint32_t i = 0; i < m->clients.count; i++) {
    struct client *client = &m->clients.all[i];
    if (client->fd < 0) continue;
    if (stalled && (client->pending != 0 || client->state == CLIENT_ENDING)) client_drop(&m->clients, client);
    else if (m->told && client->state == CLIENT_ATTACHED && client->pending == 0) client_end(&m->clients, client);
    left |= client->fd >= 0 && (client->pending != 0 || client->state == CLIENT_ENDING);
  }
  if (stalled) m->moved = millis();
  return m->told && !left;
}

/* ---- the loop ---- */

static struct pollfd interest(int fd, short events) { return (struct pollfd){.fd = fd, .events = events}; }

static nfds_t collect(struct monitor *m) {
  struct clients *clients = &m->clients;
  bool input = clients->input_bytes > 0;
  if (m->unclear != 0 && millis() >= m->unclear) m->unclear = 0;
  m->poll[AT_PROCESS] = interest(m->unclear != 0 ? -1 : m->pidfd, POLLIN);
  m->poll[AT_DAEMON] = interest(m->reports, m->unsent ? POLLOUT : 0);
  if (m->deaf != 0 && millis() >= m->deaf) m->deaf = 0;
  m->poll[AT_LISTENER] = interest(m->deaf != 0 ? -1 : m->listener, POLLIN);
  m->poll[AT_INPUT] = interest(input || m->stdin_fd != m->terminal ? m->stdin_fd : -1, input ? POLLOUT : 0);
  for (int stream = 0; stream < LOG_STREAMS; stream++)
    m->poll[AT_STDOUT + stream] = interest(clients_ready(clients, stream) ? m->out[stream] : -1, POLLIN);
  for (uint32_t i = 0; i < clients->count; i++) m->poll[AT_CLIENTS + i] = client_interest(clients, &clients->all[i]);
  return AT_CLIENTS + clients->count;
}

static void handle(struct monitor *m, nfds_t known) {
  const struct pollfd *poll = m->poll;
  if (poll[AT_DAEMON].revents & (POLLHUP | POLLERR)) {
    close(m->reports);
    m->reports = -1;
  } else if (poll[AT_DAEMON].revents & POLLOUT) {
    tell_daemon(m);
  }
  for (nfds_t i = AT_CLIENTS; i < known; i++) /* before output, so that who has just attached gets it */
    if (poll[i].revents != 0) serve(m, &m->clients.all[i - AT_CLIENTS], poll[i].revents);
  if (poll[AT_LISTENER].revents != 0) accept_clients(m);
  if (m->stdin_fd >= 0) {
    if (m->clients.input_bytes > 0) give_input(m);
    else if (poll[AT_INPUT].revents & POLLERR) close_input(m); /* nobody can read it any more */
    if (m->stdin_fd >= 0 && !m->clients.input_open && m->clients.input_bytes == 0) close_input(m);
  }
  for (int stream = 0; stream < LOG_STREAMS; stream++)
    if (poll[AT_STDOUT + stream].revents != 0 && m->out[stream] >= 0) take_output(m, stream);
  log_flush(&m->log);
  if (poll[AT_PROCESS].revents != 0 && m->pidfd >= 0) note_end(m);
}

static void give_back(struct monitor *m) {
  m->touched = false;
  for (int stream = 0; stream < LOG_STREAMS; stream++)
    if (clients_ready(&m->clients, stream)) madvise(m->clients.chunk[stream], CHUNK_BYTES, MADV_DONTNEED);
  if (m->clients.input_bytes == 0) madvise(m->clients.input, CHUNK_BYTES, MADV_DONTNEED);
  log_shrink(&m->log);
}

_Noreturn void monitor_run(struct monitor *m) {
  if (m->listener >= 0) accept_clients(m); /* who came early misses nothing */
  for (;;) {
    if (m->pidfd < 0 && wind_up(m)) _exit(0);
    nfds_t count = collect(m);
    int timeout = m->pidfd < 0 || m->unclear != 0 ? UNCLEAR_MILLIS : m->touched || m->deaf != 0 ? IDLE_MILLIS : -1;
    int n = poll(m->poll, count, timeout);
    if (n > 0) handle(m, count);
    if (n == 0 && m->touched && m->pidfd >= 0) give_back(m);
  }
}
