package carafe.kernel;

/// The processor we run on; it decides system call numbers and seccomp's native architecture.
enum Machine {
    AMD64,
    ARM64;

    static final Machine THIS = switch (System.getProperty("os.arch")) {
        case "amd64", "x86_64" -> AMD64;
        case "aarch64", "arm64" -> ARM64;
        case String other -> throw new UnsupportedOperationException("no system call numbers for " + other);
    };
}
