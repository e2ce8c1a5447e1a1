/* hello: the program in the image hello-world. It tells a learner what a container is by looking around in its own.
 *
 * What it does to the system: nothing. It reads /proc/self/{ns/...,status,mountinfo,stat}, /proc/net/dev, limits below
 * /sys/fs/cgroup, uname(2), getpid(2), getuid(2), getgid(2), lists /proc, and writes one text to descriptor 1.
 *
 * Freestanding (no libc), so that the whole image is a few kilobytes; x86-64 and arm64. Exit: 0, or 1 when the text
 * could not be written.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#define BUFFER_BYTES 16384

struct text {
  char bytes[BUFFER_BYTES];
  size_t length;
};

#if defined(__x86_64__)
static long call4(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  and $-16, %rsp\n  call hello_main\n  hlt\n");
#elif defined(__aarch64__)
static long call4(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  b hello_main\n");
#else
#error "hello is written for x86-64 and arm64"
#endif

/* The compiler may call these for its own copies. */
void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}

void *memset(void *to, int value, size_t n) {
  for (size_t i = 0; i < n; i++) ((char *)to)[i] = (char)value;
  return to;
}

static size_t length(const char *s) {
  size_t n = 0;
  while (s[n] != 0) n++;
  return n;
}

static int starts(const char *s, const char *prefix) {
  for (; *prefix != 0; s++, prefix++) {
    if (*s != *prefix) return 0;
  }
  return 1;
}

/* The first place of needle in s before the end of the line, or NULL. */
static const char *in_line(const char *s, const char *needle) {
  for (; *s != 0 && *s != '\n'; s++) {
    if (starts(s, needle)) return s;
  }
  return NULL;
}

static void put_bytes(struct text *out, const char *s, size_t n) {
  for (size_t i = 0; i < n && out->length < BUFFER_BYTES; i++) out->bytes[out->length++] = s[i];
}

static void put(struct text *out, const char *s) { put_bytes(out, s, length(s)); }

static void put_number(struct text *out, uint64_t n) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + n % 10);
    n /= 10;
  } while (n != 0);
  put_bytes(out, digits + at, sizeof digits - at);
}

/* Starts a line: a label padded to a column. */
static void label(struct text *out, const char *name) {
  put(out, "    ");
  put(out, name);
  for (size_t n = length(name); n < 12; n++) put(out, " ");
}

static uint64_t parse_number(const char *s, unsigned base) {
  uint64_t n = 0;
  for (;; s++) {
    unsigned digit = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0')
                     : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a') + 10
                                              : 99;
    if (digit >= base) return n;
    n = n * base + digit;
  }
}

/* Reads a file's beginning as text; returns its length, 0 when there is no such file. */
static size_t read_file(const char *path, char *into, size_t size) {
  size_t done = 0;
  long fd = call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
  if (fd >= 0) {
    while (done < size - 1) {
      long n = call4(SYS_read, fd, (long)(into + done), (long)(size - 1 - done), 0);
      if (n <= 0) break;
      done += (size_t)n;
    }
    call4(SYS_close, fd, 0, 0, 0);
  }
  into[done] = 0;
  return done;
}

/* The text behind key in a file of lines "key<blank>value", or NULL. */
static const char *field(const char *file, const char *key) {
  const char *line = file;
  while (*line != 0) {
    if (starts(line, key)) {
      line += length(key);
      while (*line == ' ' || *line == '\t') line++;
      return line;
    }
    while (*line != 0 && *line != '\n') line++;
    if (*line == '\n') line++;
  }
  return NULL;
}

/* Namespaces of the kernel's start have fixed numbers, but for network and mounts. */
static int is_first(uint64_t inode) { return inode >= 4026531834u && inode <= 4026531839u; }

static uint64_t put_namespace(struct text *out, const char *name) {
  char path[64] = "/proc/self/ns/";
  char link[64];
  size_t n = length(path);
  memcpy(path + n, name, length(name) + 1);
  long got = call4(SYS_readlinkat, AT_FDCWD, (long)path, (long)link, sizeof link - 1);
  link[got > 0 ? got : 0] = 0;
  const char *bracket = in_line(link, "[");
  uint64_t inode = bracket == NULL ? 0 : parse_number(bracket + 1, 10);
  put(out, got > 0 ? link : "not in this kernel");
  for (long i = got > 0 ? got : 18; i < 20; i++) put(out, " ");
  return inode;
}

static uint64_t count_processes(void) {
  char entries[4096];
  uint64_t count = 0;
  long fd = call4(SYS_openat, AT_FDCWD, (long)"/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  for (;;) {
    long bytes = call4(SYS_getdents64, fd, (long)entries, sizeof entries, 0);
    if (bytes <= 0) break;
    for (long at = 0; at < bytes;) { /* struct linux_dirent64: length at 16, name at 19 */
      uint16_t record;
      memcpy(&record, entries + at + 16, sizeof record);
      char first = entries[at + 19];
      if (first >= '1' && first <= '9') count++;
      at += record;
    }
  }
  call4(SYS_close, fd, 0, 0, 0);
  return count;
}

static void put_processes(struct text *out) {
  label(out, "processes");
  put_namespace(out, "pid");
  put(out, "I am process ");
  put_number(out, (uint64_t)call4(SYS_getpid, 0, 0, 0, 0));
  uint64_t seen = count_processes();
  put(out, " and I see ");
  put_number(out, seen);
  put(out, seen == 1 ? ": myself\n" : "\n");
}

/* How many read-only layers the overlay at / joins: "lowerdir=a:b" or "lowerdir+=a,lowerdir+=b". */
static uint64_t count_layers(const char *line) {
  uint64_t count = 0;
  const char *s = line;
  while ((s = in_line(s, "lowerdir")) != NULL) {
    s += length("lowerdir");
    count++;
    if (*s == '=') {
      for (; *s != 0 && *s != ',' && *s != '\n'; s++) {
        if (*s == ':' && s[-1] != '\\') count++;
      }
    }
  }
  return count;
}

static void put_files(struct text *out, char *file, size_t size) {
  label(out, "files");
  put_namespace(out, "mnt");
  read_file("/proc/self/mountinfo", file, size);
  uint64_t mounts = 0;
  const char *root = NULL;
  for (const char *line = file; *line != 0;) {
    mounts++;
    if (root == NULL && in_line(line, " / / ") != NULL) root = line;
    while (*line != 0 && *line != '\n') line++;
    if (*line == '\n') line++;
  }
  if (root != NULL && in_line(root, " - overlay ") != NULL) {
    uint64_t layers = count_layers(root);
    put(out, "my / is ");
    put_number(out, layers);
    put(out, layers == 1 ? " read-only layer" : " read-only layers");
    put(out, " under a writable one, ");
  }
  put_number(out, mounts);
  put(out, " mounts in all\n");
}

static void put_network(struct text *out, char *file, size_t size) {
  label(out, "network");
  put_namespace(out, "net");
  read_file("/proc/self/net/dev", file, size);
  const char *separator = "interfaces: ";
  int line_number = 0;
  for (const char *line = file; *line != 0;) {
    while (*line == ' ') line++;
    const char *colon = in_line(line, ":");
    if (line_number++ >= 2 && colon != NULL) {
      put(out, separator);
      put_bytes(out, line, (size_t)(colon - line));
      separator = ", ";
    }
    while (*line != 0 && *line != '\n') line++;
    if (*line == '\n') line++;
  }
  put(out, line_number > 2 ? "\n" : "no interface at all\n");
}

static void put_worlds(struct text *out, char *file, size_t size) {
  struct utsname host;
  put(out, "  Namespaces, each a view of its own on something the machine has once:\n\n");
  put_processes(out);
  put_files(out, file, size);
  put_network(out, file, size);
  label(out, "host name");
  put_namespace(out, "uts");
  if (call4(SYS_uname, (long)&host, 0, 0, 0) == 0) {
    put(out, host.nodename);
    put(out, ", on kernel ");
    put(out, host.release);
  }
  put(out, "\n");
  static const char *const others[][2] = {
      {"ipc", "ipc"}, {"cgroups", "cgroup"}, {"users", "user"}, {"clocks", "time"}};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    label(out, others[i][0]);
    uint64_t inode = put_namespace(out, others[i][1]);
    put(out, is_first(inode) ? "shared with the host\n" : "my own\n");
  }
}

/* The first word of the first of two files that exists; returns 0 when neither does. */
static size_t either(const char *v2, const char *v1, char *file, size_t size) {
  size_t n = read_file(v2, file, size);
  return n > 0 ? n : read_file(v1, file, size);
}

static void put_limits(struct text *out, char *file, size_t size) {
  put(out, "\n  A control group, which counts and limits what I use:\n\n");
  label(out, "memory");
  if (either("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes", file, size) == 0) {
    put(out, "not told to me\n");
  } else if (starts(file, "max") || parse_number(file, 10) > (1ull << 60)) {
    put(out, "no limit      (try: --memory 64m)\n");
  } else {
    put_number(out, parse_number(file, 10) >> 10);
    put(out, " KiB\n");
  }
  label(out, "processes");
  if (either("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max", file, size) == 0) {
    put(out, "not told to me\n");
  } else if (starts(file, "max")) {
    put(out, "no limit      (try: --pids-limit 100)\n");
  } else {
    put_number(out, parse_number(file, 10));
    put(out, "\n");
  }
  label(out, "processor");
  if (either("/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", file, size) == 0) {
    put(out, "not told to me\n");
  } else if (starts(file, "max") || starts(file, "-1")) {
    put(out, "no limit      (try: --cpus 0.5)\n");
  } else {
    put_number(out, parse_number(file, 10) / 1000);
    put(out, " ms of each period\n");
  }
}

static void put_rights(struct text *out, char *file, size_t size) {
  static const char *const names[] = {
      "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
      "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
      "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
      "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
      "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
      "checkpoint_restore"};
  read_file("/proc/self/status", file, size);
  put(out, "\n  Rights, by default far fewer than those of root on the host:\n\n");
  label(out, "user");
  put_number(out, (uint64_t)call4(SYS_getuid, 0, 0, 0, 0));
  put(out, ", group ");
  put_number(out, (uint64_t)call4(SYS_getgid, 0, 0, 0, 0));
  put(out, "\n");
  label(out, "capable of");
  const char *effective = field(file, "CapEff:");
  uint64_t capabilities = effective == NULL ? 0 : parse_number(effective, 16);
  size_t column = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if ((capabilities >> i & 1) == 0) continue;
    if (column > 70) {
      put(out, "\n");
      label(out, "");
      column = 0;
    }
    if (column > 0) put(out, " ");
    put(out, names[i]);
    column += length(names[i]) + 1;
  }
  put(out, capabilities == 0 ? "nothing special\n" : "\n");
  label(out, "seccomp");
  const char *seccomp = field(file, "Seccomp:");
  put(out, seccomp != NULL && *seccomp == '2' ? "dangerous system calls are filtered\n" : "no filter\n");
}

__attribute__((noreturn, used)) void hello_main(void) {
  static struct text out;
  static char file[65536];
  put(&out, "Hello from Carafe!\n\n"
            "A container is a process with a view of its own. This text is printed by /hello, a small static\n"
            "program in the image hello-world. Looking around, it finds:\n\n");
  put_worlds(&out, file, sizeof file);
  put_limits(&out, file, sizeof file);
  put_rights(&out, file, sizeof file);
  put(&out, "\n  What to try next:\n\n"
            "    carafe run --explain hello-world      each step of this start, and how long it took\n"
            "    carafe run --dry-run hello-world      the same steps, not taken\n"
            "    docker save busybox | carafe load     bring an image you have\n"
            "    carafe run --rm -it busybox sh        look around yourself\n"
            "    carafe ps -a                          containers, ended ones too\n\n");
  long status = 0;
  for (size_t done = 0; done < out.length;) {
    long n = call4(SYS_write, 1, (long)(out.bytes + done), (long)(out.length - done), 0);
    if (n <= 0) {
      status = 1;
      break;
    }
    done += (size_t)n;
  }
  for (;;) call4(SYS_exit_group, status, 0, 0, 0);
}
