package carafe.runtime;

import java.time.Instant;

/// How a process ended: its exit code (128 + the signal's number if a signal killed it, as a shell counts), when, and
/// whether the kernel killed something in its control group for lack of memory.
public record ExitInfo(int code, int signal, Instant at, boolean oomKilled) {}
