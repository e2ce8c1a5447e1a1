/*
 * Tests of what is hard to reach from outside: escaping against a second, plain implementation, splitting at every way
 * output may be cut into reads, dates, and mutated tapes. Built with sanitizers; silent and 0 when all is well. The
 * random seed is the argument, or fixed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../carafe_files.h"
#include "../log.h"
#include "../player.h"
#include "../text.h"

static uint64_t seed = 4711;
static int failures;

static uint32_t pick(uint32_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(seed >> 33) % below;
}

static void expect(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "check failed: %s\n", what);
  failures++;
}

/* ---- escaping ---- */

/* Decodes by arithmetic instead of by table: bytes of the character at `s`, 0 if it is not one. */
static size_t slow_character(const uint8_t *s, size_t bytes) {
  size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
  if (n == 0 || n > bytes) return 0;
  if (n == 1) return 1;
  uint32_t code = s[0] & (0x7fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80) return 0;
    code = code << 6 | (s[i] & 0x3f);
  }
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : n;
}

static size_t slow_escape(char *to, const char *data, size_t bytes) {
  const uint8_t *s = (const uint8_t *)data;
  char *start = to;
  for (size_t i = 0; i < bytes;) {
    size_t n = slow_character(s + i, bytes - i);
    if (n == 0) {
      to += sprintf(to, "\\ufffd");
      i++;
    } else if (n > 1) {
      if (memcmp(s + i, "\xe2\x80\xa8", 3) == 0 || memcmp(s + i, "\xe2\x80\xa9", 3) == 0)
        to += sprintf(to, "\\u202%x", s[i + 2] & 15);
      else
        to = mempcpy(to, s + i, n);
      i += n;
    } else {
      uint8_t c = s[i++];
      if (c == '"' || c == '\\') to += sprintf(to, "\\%c", c);
      else if (c == '\n') to += sprintf(to, "\\n");
      else if (c == '\r') to += sprintf(to, "\\r");
      else if (c < 0x20 || c == '<' || c == '>' || c == '&') to += sprintf(to, "\\u%04x", c);
      else *to++ = (char)c;
    }
  }
  return (size_t)(to - start);
}

static void fill(char *data, size_t bytes) {
  static const char *const pieces[] = {
      "plain text ",  "\n",   "\xc3\xbc", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "\xe2\x80\xa8",
      "\xe2\x80\xa9", "<&>",  "\"\\",     "\t\r",         "\xff",             "\xed\xa0\x80",
      "\xc0\x80",     "\x7f", "\xe2\x80", "\xf4\x90\x80\x80", "0123456789abcdef0123456789abcdef"};
  for (size_t at = 0; at < bytes;) {
    const char *piece = pieces[pick(sizeof pieces / sizeof pieces[0])];
    for (; *piece != 0 && at < bytes; piece++) data[at++] = *piece;
    if (pick(10) == 0 && at < bytes) data[at++] = (char)pick(256);
  }
}

static void escaping(void) {
  for (int round = 0; round < 20000; round++) {
    size_t bytes = pick(200);
    char *data = malloc(bytes + 1), *fast = malloc(6 * bytes + 16), *slow = malloc(6 * bytes + 16);
    fill(data, bytes);
    size_t n = (size_t)(log_escape(fast, data, bytes) - fast);
    expect(n <= 6 * bytes && n == slow_escape(slow, data, bytes) && memcmp(fast, slow, n) == 0, "escaping");
    free(data);
    free(fast);
    free(slow);
  }
}

/* ---- splitting ---- */

static int directory;

static size_t read_back(const char *name, char *into, size_t room) {
  int fd = openat(directory, name, O_RDONLY);
  ssize_t n = read(fd, into, room);
  close(fd);
  unlinkat(directory, name, 0);
  return n < 0 ? 0 : (size_t)n;
}

/* Logs `data` in reads of at most `most` bytes; answers the file. */
static size_t log_in_pieces(const char *data, size_t bytes, uint32_t most, char *into, size_t room) {
  struct log *log = aligned_alloc(4096, sizeof *log);
  memset(log, 0, sizeof *log);
  struct timespec now = {1763900000, 120000000};
  log_open(log, directory, "log", 0, 1);
  while (bytes > 0) {
    size_t n = 1 + pick(most);
    if (n > bytes) n = bytes;
    char *exact = memcpy(malloc(n), data, n); /* so that a sanitizer sees a byte too much */
    log_feed(log, LOG_STDOUT, exact, n, &now);
    free(exact);
    if (pick(4) == 0) log_flush(log);
    data += n;
    bytes -= n;
  }
  log_end(log, LOG_STDOUT, &now);
  log_flush(log);
  close(log->file);
  free(log);
  return read_back("log", into, room);
}

static void splitting(void) {
  size_t room = 4u << 20;
  char *data = malloc(1 << 18), *whole = malloc(room), *pieces = malloc(room);
  static const uint32_t lengths[] = {0, 1, 16382, 16383, 16384, 16385, 32767, 32768, 32769, 50000};
  for (int round = 0; round < 60; round++) {
    size_t bytes = 0;
    for (uint32_t lines = 1 + pick(5); lines > 0; lines--) {
      uint32_t length = pick(2) != 0 ? lengths[pick(sizeof lengths / sizeof lengths[0])] : pick(300);
      memset(data + bytes, 'a' + (int)(lines % 26), length);
      bytes += length;
      if (lines > 1 || pick(2) != 0) data[bytes++] = '\n';
    }
    size_t n = log_in_pieces(data, bytes, 1 << 18, whole, room);
    size_t m = log_in_pieces(data, bytes, pick(3) == 0 ? 50 : 20000, pieces, room);
    expect(n == m && memcmp(whole, pieces, n) == 0, "records do not depend on how output was read");
  }
  size_t n = log_in_pieces("exactly\nso", 10, 3, whole, room);
  const char *golden =
      "{\"log\":\"exactly\\n\",\"stream\":\"stdout\",\"time\":\"2025-11-23T12:13:20.12Z\"}\n"
      "{\"log\":\"so\",\"stream\":\"stdout\",\"time\":\"2025-11-23T12:13:20.12Z\"}\n";
  expect(n == strlen(golden) && memcmp(whole, golden, n) == 0, "records look like Docker's");
  free(data);
  free(whole);
  free(pieces);
}

static void dates(void) {
  struct text_clock clock = {0};
  for (int round = 0; round < 100000; round++) {
    struct timespec t = {(time_t)pick(1u << 31) * (1 + (time_t)pick(3)), round % 3 == 0 ? 0 : pick(1000) * 1000000};
    char ours[TEXT_RFC3339_BYTES], theirs[TEXT_RFC3339_BYTES];
    struct tm civil;
    *text_rfc3339(&clock, ours, &t) = 0;
    gmtime_r(&t.tv_sec, &civil);
    strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S", &civil);
    expect(strncmp(ours, theirs, strlen(theirs)) == 0, "dates");
  }
}

/* ---- tapes ---- */

enum { BLOB_BYTES = 1024 };

static void make_blob(uint8_t *blob) {
  memset(blob, 0, BLOB_BYTES);
  struct tape_header *h = (void *)blob;
  *h = (struct tape_header){.magic = TAPE_MAGIC, .version = TAPE_VERSION, .total_bytes = BLOB_BYTES};
  h->cgroup_slot = TAPE_NONE;
#if defined(__x86_64__)
  h->arch = AUDIT_ARCH_X86_64;
#else
  h->arch = AUDIT_ARCH_AARCH64;
#endif
  h->slot_count = 4;
  h->passed_count = 2;
  h->monitor_steps = h->child_steps = 1;
  h->steps_offset = sizeof *h;
  h->relocs_offset = h->steps_offset + 2 * (uint32_t)sizeof(struct tape_step);
  h->reloc_count = 3;
  h->data_offset = h->relocs_offset + 3 * (uint32_t)sizeof(struct tape_reloc) + sizeof(struct tape_client);
  h->plan = (struct tape_plan){.title = h->data_offset, .stdin_slot = TAPE_NONE, .stdout_slot = 0, .stderr_slot = 1};
  h->plan.listener_slot = h->plan.exit_slot = h->plan.exit_name = TAPE_NONE;
  h->plan.log_slot = 2;
  h->plan.log_name = h->data_offset;
  h->plan.log_files = 5;
  h->plan.clients_offset = h->data_offset - (uint32_t)sizeof(struct tape_client);
  h->plan.client_count = 1;
  struct tape_step *steps = (void *)(blob + h->steps_offset);
  for (int i = 0; i < 2; i++) {
    steps[i] = (struct tape_step){.call = 39, .result = 3, .tolerated_count = 1, .tolerated = {2}};
    steps[i].kinds[0] = TAPE_ARG_POINTER;
    steps[i].args[0] = h->data_offset;
    steps[i].kinds[1] = TAPE_ARG_SLOT;
  }
  struct tape_reloc *relocs = (void *)(blob + h->relocs_offset);
  relocs[0] = (struct tape_reloc){h->data_offset + 16, TAPE_RELOC_POINTER, h->data_offset, 0};
  relocs[1] = (struct tape_reloc){h->data_offset + 24, TAPE_RELOC_POINTER, h->data_offset + 16, 0};
  relocs[2] = (struct tape_reloc){h->data_offset + 32, TAPE_RELOC_SLOT, 3, 0};
}

/* Uses all that a player uses of a blob that passed the check; sanitizers watch. */
static void use(uint8_t *blob, size_t bytes) {
  struct tape tape;
  tape_take(&tape, blob, bytes);
  for (uint32_t slot = 0; slot < tape.header->slot_count; slot++) tape_fill(&tape, slot, (int)slot);
  const struct tape_plan *plan = &tape.header->plan;
  volatile uint8_t touched = 0;
  const uint32_t texts[] = {plan->title, plan->log_name, plan->exit_name};
  for (size_t i = 0; i < 3; i++) {
    const char *text = tape_text(&tape, texts[i]);
    expect(text == NULL || strlen(text) <= TAPE_MAX_NAME, "names are bounded");
  }
  for (uint32_t i = 0; i < tape.header->monitor_steps + tape.header->child_steps; i++)
    for (int arg = 0; arg < TAPE_MAX_ARGS; arg++)
      if (tape.steps[i].kinds[arg] == TAPE_ARG_POINTER) touched ^= blob[tape.steps[i].args[arg]];
}

static void mutated_tapes(void) {
  uint8_t good[BLOB_BYTES];
  make_blob(good);
  expect(tape_check(good, BLOB_BYTES) == 0, "the tape is good before it is mutated");
  int passed = 0;
  for (int round = 0; round < 300000; round++) {
    size_t bytes = pick(20) == 0 ? pick(BLOB_BYTES) : BLOB_BYTES;
    uint8_t *blob = aligned_alloc(8, (bytes + 8) / 8 * 8);
    memcpy(blob, good, bytes);
    for (uint32_t changes = 1 + pick(4); changes > 0 && bytes > 0; changes--) {
      static const uint32_t values[] = {0,          1,          2,          7,          0xff,          0xffff,
                                        0x7fffffff, 0x80000000, 0xffffffff, BLOB_BYTES, BLOB_BYTES - 1};
      size_t at = pick((uint32_t)bytes);
      if (pick(2) == 0) blob[at] = (uint8_t)pick(256);
      else if (at + 4 <= bytes) memcpy(blob + at / 4 * 4, &values[pick(11)], 4);
    }
    if (bytes >= 12 && pick(2) == 0) memcpy(blob + 8, &(uint32_t){(uint32_t)bytes}, 4);
    if (tape_check(blob, bytes) == 0) {
      passed++;
      use(blob, bytes);
    }
    free(blob);
  }
  expect(passed > 1000, "some mutations do no harm");
}

/* ---- files for an engine ---- */

static uint8_t done[4 << 20];
static size_t done_bytes;
static int dones;

/* Keeps what is answered, one answer behind the other, each without its first four bytes when they say 0. */
static bool keep_answer(const void *bytes, size_t length) {
  static const uint8_t good[4];
  bool fine = length >= 4 && memcmp(bytes, good, 4) == 0;
  if (length < 4 || length > CARAFE_FRAME_BYTES || done_bytes + length > sizeof done) return false;
  size_t from = fine ? 4 : 0;
  memcpy(done + done_bytes, (const uint8_t *)bytes + from, length - from);
  done_bytes += length - from;
  dones++;
  return true;
}

static bool wish(uint8_t what, const void *bytes, size_t length) {
  uint8_t frame[CARAFE_FRAME_BYTES];
  done_bytes = 0;
  dones = 0;
  frame[0] = what;
  memcpy(frame + 1, bytes, length);
  return files_do(frame, 1 + length, keep_answer);
}

static void whole_files(const char *path) {
  static uint8_t noise[200000];
  uint8_t handle, piece[1 + 50000];
  for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)pick(256);
  expect(wish(CARAFE_FILE_CREATE, path, strlen(path)) && done_bytes == 1, "a file is made");
  handle = piece[0] = done[0];
  for (size_t at = 0; at < sizeof noise; at += 50000) {
    memcpy(piece + 1, noise + at, 50000);
    expect(wish(CARAFE_FILE_WRITE, piece, sizeof piece) && done_bytes == 0, "a piece is written");
  }
  expect(wish(CARAFE_FILE_CLOSE, &handle, 1) && done_bytes == 0, "a file is closed");
  expect(wish(CARAFE_FILE_CREATE, path, strlen(path)) && done[3] == 17 /* EEXIST */, "no file is made twice");
  expect(wish(CARAFE_FILE_OPEN, path, strlen(path)), "a file is opened");
  size_t read = done_bytes - 2;
  bool same = memcmp(done + 2, noise, read) == 0, ended = done[1] != 0;
  handle = done[0];
  while (!ended && wish(CARAFE_FILE_READ, &handle, 1) && done_bytes >= 1 && read + done_bytes - 1 <= sizeof noise) {
    same &= memcmp(done + 1, noise + read, done_bytes - 1) == 0;
    read += done_bytes - 1;
    ended = done[0] != 0;
  }
  expect(same && ended && read == sizeof noise, "a file is read as it was written");
  expect(wish(CARAFE_FILE_READ, &handle, 1) && done[3] == 9 /* EBADF */, "a handle ends with its file");
  expect(wish(CARAFE_FILE_OVERWRITE, path, strlen(path)) && done_bytes == 1, "a file begins anew");
  handle = done[0];
  expect(wish(CARAFE_FILE_CLOSE, &handle, 1) && done_bytes == 0, "an empty file is closed");
  expect(wish(CARAFE_FILE_OPEN, path, strlen(path)) && done_bytes == 2 && done[1] == 1, "a file that begins anew is empty");
}

static void many_names(const char *path) {
  char name[300];
  mkdir(path, 0700);
  for (int i = 0; i < 400; i++) {
    snprintf(name, sizeof name, "%s/%0200d", path, i);
    close(open(name, O_CREAT | O_WRONLY, 0600));
  }
  int found = 0;
  expect(wish(CARAFE_FILE_LIST, path, strlen(path)) && dones > 1, "a long listing comes in pieces");
  for (size_t i = 0; i + 200 <= done_bytes; i++)
    if (memcmp(done + i, "000000000000", 12) == 0) {
      found++;
      i += 199;
    }
  expect(found == 400, "a listing has every name");
  for (int i = 0; i < 400; i++) {
    snprintf(name, sizeof name, "%s/%0200d", path, i);
    expect(wish(CARAFE_FILE_REMOVE, name, strlen(name)) && done_bytes == 0, "a file is removed");
  }
  rmdir(path);
}

/* Whatever an engine wishes is answered, and nothing is overrun. */
static void hostile_wishes(void) {
  static uint8_t bytes[CARAFE_FRAME_BYTES];
  expect(!files_do(bytes, 0, keep_answer), "an empty wish is none");
  for (int round = 0; round < 20000; round++) {
    size_t length = pick(round % 100 == 0 ? sizeof bytes - 1 : 24);
    for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)(round % 2 == 0 ? pick(256) : '/' + pick(3));
    uint8_t what = (uint8_t)pick(11);
    bool harmless = what != CARAFE_FILE_CREATE && what != CARAFE_FILE_OVERWRITE && what != CARAFE_FILE_REMOVE &&
                    what != CARAFE_FILE_LIST;
    if (harmless) expect(wish(what, bytes, length) && dones == 1, "a wish is answered once");
  }
}

static void files_of_a_command(const char *template) {
  char path[200];
  snprintf(path, sizeof path, "%s/file", template);
  whole_files(path);
  expect(wish(CARAFE_FILE_CAPABILITY, path, strlen(path)) && done_bytes == 0, "a file has no capability");
  expect(wish(CARAFE_FILE_REMOVE, path, strlen(path)), "a file is removed");
  expect(wish(CARAFE_FILE_OPEN, path, strlen(path)) && done[3] == 2 /* ENOENT */, "what is gone is not opened");
  many_names(path);
  hostile_wishes();
}

int main(int argc, char **argv) {
  if (argc > 1) seed = strtoull(argv[1], NULL, 10);
  char template[] = "/tmp/carafe-check-XXXXXX";
  if (mkdtemp(template) == NULL) return 1;
  directory = open(template, O_RDONLY | O_DIRECTORY);
  escaping();
  splitting();
  dates();
  mutated_tapes();
  files_of_a_command(template);
  rmdir(template);
  if (failures > 0) fprintf(stderr, "seed %llu\n", argc > 1 ? strtoull(argv[1], NULL, 10) : 4711ull);
  return failures == 0 ? 0 : 1;
}
