/*
 * The command `carafe`. Who asks an engine of this host is served by that engine's own JVM, which is warm: this program
 * sends it words, variables and directory, and from then on writes what it is sent, reads what it is asked for, passes
 * signals on and ends as it is told. Everything else, and whatever the engine does not take, is done by a JVM that this
 * program becomes (libexec/carafe beside it), which is what a command costs without an engine.
 * The words of both sides are in carafe.h.
 */
#define _GNU_SOURCE
#include "carafe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "carafe_files.h"

enum {
  WRITE_BYTES = 4096,      /* PIPE_BUF: what a pipe that is ready for writing takes without waiting */
  HEAD_BYTES = 8192,       /* most of an answer's header */
  REQUEST_BYTES = 4 << 20, /* most that is sent of words and variables */
};

extern char **environ;

static struct {
  char home[PATH_MAX];
  char **words;         /* of this program's own start */
  sigset_t mask;        /* the signals that were blocked then */
  uint64_t ignored;     /* those that were ignored then, as `taken` */
  bool piece_wise[3];   /* a stream that takes a few bytes at a time without waiting */
  int socket;
  int signals;          /* a signalfd(2), once the engine has taken the command */
  bool wanted;          /* the engine waits for input */
  bool raw;             /* the terminal is not as it was found */
  struct termios found; /* how the terminal was found */
  uint64_t taken;       /* the signals that the command handles, bit n - 1 for signal n */
} client = {.socket = -1, .signals = -1};

/* What is opened later must not become a standard stream that the caller closed; one of those stays of no use. */
static void fill_standard_streams(void) {
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* ---- without the engine's JVM ---- */

static _Noreturn void cold(char **argv) {
  char program[PATH_MAX + 16];
  if (client.socket >= 0) close(client.socket);
  snprintf(program, sizeof program, "%s/libexec/carafe", client.home);
  execv(program, argv);
  fprintf(stderr, "error: cannot start %s: %s\n", program, strerror(errno));
  exit(125);
}

/* The directory above bin/, where this program lies. */
static bool find_home(void) {
  ssize_t length = readlink("/proc/self/exe", client.home, sizeof client.home - 1);
  if (length <= 0) return false;
  client.home[length] = 0;
  for (int i = 0; i < 2; i++) {
    char *slash = strrchr(client.home, '/');
    if (slash == NULL) return false;
    *slash = 0;
  }
  return true;
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

/* The engine's socket as the variables name it; NULL: it is not on this host, or a JVM has to find out. */
static const char *find_socket(void) {
  static const char *names[] = {"CARAFE_HOST", "CARAFE_CONTEXT", "DOCKER_HOST", "DOCKER_CONTEXT"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = variable(names[i]);
    if (*value == 0) continue;
    bool host = i % 2 == 0;
    return host && strncmp(value, "unix://", 7) == 0 ? value + 7 : NULL;
  }
  return "/run/carafe/carafe.sock";
}

/* ---- the request ---- */

struct text {
  char *bytes;
  size_t length, room;
  bool failed;
};

static void add(struct text *text, const char *bytes, size_t length) {
  if (text->failed || text->length + length > REQUEST_BYTES) {
    text->failed = true;
    return;
  }
  if (text->length + length > text->room) {
    size_t room = (text->length + length) * 2;
    char *larger = realloc(text->bytes, room);
    if (larger == NULL) {
      text->failed = true;
      return;
    }
    text->bytes = larger;
    text->room = room;
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

/* With the byte 0 that ends it. */
static void add_word(struct text *text, const char *word) { add(text, word, strlen(word) + 1); }

static void add_numbers(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_numbers(struct text *text, const char *format, ...) {
  char word[128];
  va_list values;
  va_start(values, format);
  vsnprintf(word, sizeof word, format, values);
  va_end(values);
  add_word(text, word);
}

static void window(unsigned *rows, unsigned *columns) {
  static const int streams[] = {1, 0, 2};
  struct winsize size;
  *rows = *columns = 0;
  for (size_t i = 0; i < 3; i++)
    if (ioctl(streams[i], TIOCGWINSZ, &size) == 0) {
      *rows = size.ws_row;
      *columns = size.ws_col;
      return;
    }
}

/* Which program this is. */
static bool name_code(struct text *text) {
  char path[PATH_MAX + 32];
  struct stat code;
  snprintf(path, sizeof path, "%s/lib/carafe-cli.jar", client.home);
  if (stat(path, &code) < 0) return false;
  add_word(text, CARAFE_PROTOCOL);
  add_numbers(text, "%ju:%ju:%jd:%jd.%09ld", (uintmax_t)code.st_dev, (uintmax_t)code.st_ino, (intmax_t)code.st_size,
              (intmax_t)code.st_mtim.tv_sec, code.st_mtim.tv_nsec);
  return !text->failed;
}

/* What the engine has to know to be the JVM of this command; carafe.h has the order. False: it cannot be told. */
static bool describe(struct text *text, char **argv) {
  char path[PATH_MAX], mounts[64] = "";
  struct stat root;
  if (stat("/", &root) < 0 || getcwd(path, sizeof path) == NULL || path[0] != '/') return false;
  if (readlink("/proc/self/ns/mnt", mounts, sizeof mounts - 1) < 0) return false;
  unsigned rows, columns;
  window(&rows, &columns);
  mode_t mask = umask(0);
  umask(mask);
  add_numbers(text, "%04o", (unsigned)mask);
  add_word(text, mounts);
  add_numbers(text, "%ju:%ju", (uintmax_t)root.st_dev, (uintmax_t)root.st_ino);
  add_numbers(text, "%s%s%s", isatty(0) ? "0" : "", isatty(1) ? "1" : "", isatty(2) ? "2" : "");
  add_numbers(text, "%u", rows);
  add_numbers(text, "%u", columns);
  add_word(text, path);
  int count = 0;
  while (argv[count + 1] != NULL) count++;
  add_numbers(text, "%d", count);
  for (int i = 1; i <= count; i++) add_word(text, argv[i]);
  for (char **each = environ; *each != NULL; each++) add_word(text, *each);
  return !text->failed;
}

static bool send_all(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t n = send(client.socket, at, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    at += n;
    length -= (size_t)n;
  }
  return true;
}

static bool receive_all(void *bytes, size_t length) {
  char *at = bytes;
  while (length > 0) {
    ssize_t n = recv(client.socket, at, length, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    length -= (size_t)n;
  }
  return true;
}

/* Reads an answer's header and not a byte more; true: the engine takes the command. */
static bool taken(void) {
  char head[HEAD_BYTES + 1];
  for (;;) {
    ssize_t seen = recv(client.socket, head, HEAD_BYTES, MSG_PEEK);
    if (seen < 0 && errno == EINTR) continue;
    if (seen <= 0 || seen == HEAD_BYTES) return false;
    head[seen] = 0;
    char *end = strstr(head, "\r\n\r\n");
    if (end != NULL) return receive_all(head, (size_t)(end + 4 - head)) && strncmp(head, "HTTP/1.1 101", 12) == 0;
    poll(NULL, 0, 1); /* an engine sends its header in one piece; the rest of another's will come */
  }
}

/* The program that a process was started as, if it says so. */
static bool first_word(pid_t pid, char *word, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t length = read(fd, word, size - 1);
  close(fd);
  word[length > 0 ? length : 0] = 0;
  return *word != 0;
}

/* Whether the socket's other end is the JVM of this installation, run by root or this user. Nobody else, and a socket may
 * be the end of a tunnel, is shown variables or may open files. Another user's process has a name only. */
static bool reaches_engine(void) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  char path[PATH_MAX + 16];
  struct stat theirs, ours;
  if (getsockopt(client.socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
  if (peer.pid <= 0 || (peer.uid != 0 && peer.uid != geteuid())) return false;
  snprintf(path, sizeof path, "/proc/%d/exe", (int)peer.pid);
  if (stat(path, &theirs) < 0 && (!first_word(peer.pid, path, sizeof path) || stat(path, &theirs) < 0)) return false;
  snprintf(path, sizeof path, "%s/jre/bin/java", client.home);
  return stat(path, &ours) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static bool send_frame(uint8_t kind, const void *bytes, size_t length) {
  char frame[CARAFE_HEADER_BYTES + CARAFE_FRAME_BYTES];
  frame[0] = (char)kind;
  for (int i = 0; i < 4; i++) frame[1 + i] = (char)(length >> (24 - 8 * i));
  if (length > 0) memcpy(frame + CARAFE_HEADER_BYTES, bytes, length);
  return send_all(frame, CARAFE_HEADER_BYTES + length);
}

/* True: the engine was told what to do. Nothing has happened otherwise. */
static bool ask(const char *path, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (path == NULL || path[0] != '/' || strlen(path) >= sizeof address.sun_path) return false;
  memcpy(address.sun_path, path, strlen(path) + 1);
  client.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client.socket < 0 || connect(client.socket, (struct sockaddr *)&address, sizeof address) < 0) return false;
  if (!reaches_engine()) return false;
  struct text code = {0}, request = {0}, description = {0};
  char head[256];
  bool told = name_code(&code) && describe(&description, argv);
  int length = snprintf(head, sizeof head,
                        "POST " CARAFE_PATH " HTTP/1.1\r\nHost: carafe\r\nConnection: Upgrade\r\nUpgrade: "
                        CARAFE_UPGRADE "\r\nContent-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                        code.length);
  add(&request, head, (size_t)length);
  add(&request, code.bytes, code.length);
  told = told && !request.failed && send_all(request.bytes, request.length) && taken();
  for (size_t at = 0; told && at < description.length; at += CARAFE_FRAME_BYTES) {
    size_t left = description.length - at;
    told = send_frame(CARAFE_WORDS, description.bytes + at, left < CARAFE_FRAME_BYTES ? left : CARAFE_FRAME_BYTES);
  }
  told = told && send_frame(CARAFE_WORDS, NULL, 0);
  free(code.bytes);
  free(request.bytes);
  free(description.bytes);
  return told;
}

/* ---- the terminal ---- */

static void restore(void) {
  if (client.raw) tcsetattr(0, TCSADRAIN, &client.found);
  client.raw = false;
}

static void make_raw(void) {
  if (client.raw || tcgetattr(0, &client.found) < 0) return;
  struct termios raw = client.found;
  cfmakeraw(&raw);
  client.raw = tcsetattr(0, TCSADRAIN, &raw) == 0;
}

/* ---- signals ---- */

static uint64_t bit(int number) { return 1ULL << (number - 1); }

/* What was there before this program changes any of it. */
static void note_signals(void) {
  struct sigaction found;
  sigprocmask(SIG_SETMASK, NULL, &client.mask);
  for (int number = 1; number < 64; number++)
    if (sigaction(number, NULL, &found) == 0 && found.sa_handler == SIG_IGN) client.ignored |= bit(number);
}

/* Takes what the command handles, the window's size, and what would end this program with the terminal raw. What was
   ignored when it started stays so, as nohup(1) wants it. */
static void watch_signals(void) {
  static const int ends[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU};
  uint64_t watched = client.taken;
  for (size_t i = 0; client.raw && i < sizeof ends / sizeof *ends; i++) watched |= bit(ends[i]);
  watched = (watched & ~client.ignored) | bit(SIGWINCH);
  sigset_t set, mask = client.mask;
  sigemptyset(&set);
  for (int number = 1; number < 64; number++)
    if ((watched & bit(number)) != 0) {
      sigaddset(&set, number);
      sigaddset(&mask, number);
    }
  int fd = signalfd(client.signals, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return; /* no descriptor is left: they do what they do */
  client.signals = fd;
  sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void set_action(int number, void (*action)(int)) {
  struct sigaction plain = {.sa_handler = action};
  sigaction(number, &plain, NULL);
}

static _Noreturn void die_of(int number) {
  sigset_t one;
  restore();
  set_action(number, SIG_DFL);
  raise(number);
  sigemptyset(&one);
  sigaddset(&one, number);
  sigprocmask(SIG_UNBLOCK, &one, NULL);
  exit(128 + number);
}

/* ---- frames ---- */

static bool send_done(const void *bytes, size_t length) { return send_frame(CARAFE_DONE, bytes, length); }

static void send_size(void) {
  unsigned rows, columns;
  window(&rows, &columns);
  uint8_t size[] = {(uint8_t)(rows >> 8), (uint8_t)rows, (uint8_t)(columns >> 8), (uint8_t)columns};
  send_frame(CARAFE_SIZE, size, sizeof size);
}

static void pass_signals(void) {
  struct signalfd_siginfo info;
  while (read(client.signals, &info, sizeof info) == sizeof info) {
    int number = (int)info.ssi_signo;
    uint8_t byte = (uint8_t)number;
    if (number == SIGWINCH) send_size();
    if ((client.taken & bit(number)) != 0) send_frame(CARAFE_SIGNAL, &byte, 1);
    else if (number != SIGWINCH) die_of(number);
  }
}

static _Noreturn void lost(void) {
  restore();
  fputs("error: the engine went away while it ran this command; whether it was done is not known\n", stderr);
  exit(1);
}

static void give_input(void) {
  char piece[CARAFE_FRAME_BYTES];
  struct iovec into = {piece, sizeof piece};
  /* Of a pipe another process may have read since poll(2). */
  ssize_t n = client.piece_wise[0] ? preadv2(0, &into, 1, -1, RWF_NOWAIT) : -1;
  if (!client.piece_wise[0] || (n < 0 && errno == EOPNOTSUPP)) n = read(0, piece, sizeof piece);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  client.wanted = false;
  send_frame(CARAFE_INPUT, piece, n < 0 ? 0 : (size_t)n); /* who is gone is noticed where frames are received */
}

/* As any program: by the signal, unless that is ignored. A standard error that nobody reads is nobody's business. */
static void fail_to_write(int fd) {
  int error = errno;
  if (fd == 2) return;
  restore();
  if (error == EPIPE && (client.ignored & bit(SIGPIPE)) == 0) die_of(SIGPIPE);
  fprintf(stderr, "error: cannot write: %s\n", strerror(error));
  exit(1);
}

/* Writes all of it; signals and input are passed on meanwhile, for who reads it may wait for that. */
static void put(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    struct pollfd ready[] = {{.fd = fd, .events = POLLOUT},
                             {.fd = client.signals, .events = POLLIN},
                             {.fd = client.wanted ? 0 : -1, .events = POLLIN}};
    if (poll(ready, 3, -1) < 0 && errno != EINTR) {
      fail_to_write(fd);
      return;
    }
    if (ready[1].revents != 0) pass_signals();
    if (ready[2].revents != 0 && ready[1].revents == 0) give_input();
    if (ready[0].revents == 0) continue;
    ssize_t n = write(fd, bytes, client.piece_wise[fd] && length > WRITE_BYTES ? WRITE_BYTES : length);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) {
      fail_to_write(fd);
      return;
    }
    bytes += n;
    length -= (size_t)n;
  }
}

static uint64_t number_in(const uint8_t *bytes, size_t length) {
  uint64_t number = 0;
  for (size_t i = 0; i < length; i++) number = number << 8 | bytes[i];
  return number;
}

static void obey(void) {
  uint8_t header[CARAFE_HEADER_BYTES];
  static uint8_t bytes[CARAFE_FRAME_BYTES];
  if (!receive_all(header, sizeof header)) lost();
  size_t length = (size_t)number_in(header + 1, 4);
  if (length > sizeof bytes || !receive_all(bytes, length)) lost();
  switch (header[0]) {
    case CARAFE_STDOUT:
    case CARAFE_STDERR:
      put(header[0] == CARAFE_STDOUT ? 1 : 2, (const char *)bytes, length);
      return;
    case CARAFE_WANTED:
      client.wanted = true;
      return;
    case CARAFE_TAKEN:
      client.taken = number_in(bytes, length);
      watch_signals();
      return;
    case CARAFE_RAW:
      if (length > 0 && bytes[0] != 0) make_raw();
      else restore();
      watch_signals();
      return;
    case CARAFE_FILE:
      if (!files_do(bytes, length, send_done)) lost();
      return;
    case CARAFE_ALONE:
      sigprocmask(SIG_SETMASK, &client.mask, NULL);
      if ((client.ignored & bit(SIGPIPE)) == 0) set_action(SIGPIPE, SIG_DFL);
      cold(client.words);
    case CARAFE_END:
      restore();
      exit((int)number_in(bytes, length));
    default:
      lost();
  }
}

static void note_streams(void) {
  struct stat found;
  for (int fd = 0; fd < 3; fd++) client.piece_wise[fd] = fstat(fd, &found) < 0 || !S_ISREG(found.st_mode);
}

int main(int argc, char **argv) {
  fill_standard_streams();
  if (!find_home()) {
    fputs("error: /proc is not mounted, so carafe cannot find its own files\n", stderr);
    return 125;
  }
  bool global = argc < 2 || argv[1][0] == '-' || strcmp(argv[1], "hub") == 0;
  if (global || strcmp(variable("CARAFE_WARM"), "0") == 0 || !ask(find_socket(), argv)) cold(argv);
  client.words = argv;
  note_streams();
  note_signals();
  set_action(SIGPIPE, SIG_IGN);
  for (;;) {
    struct pollfd ready[] = {{.fd = client.socket, .events = POLLIN},
                             {.fd = client.signals, .events = POLLIN},
                             {.fd = client.wanted ? 0 : -1, .events = POLLIN}};
    if (poll(ready, 3, -1) < 0 && errno != EINTR) lost();
    if (ready[1].revents != 0) pass_signals();
    if (ready[2].revents != 0 && ready[1].revents == 0) give_input();
    if (ready[0].revents != 0) obey();
  }
}
