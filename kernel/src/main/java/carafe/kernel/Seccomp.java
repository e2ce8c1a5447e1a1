package carafe.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;

/// Filters of system calls, compiled from profiles by libseccomp, which takes tens of milliseconds. A compiled filter
/// is kept in memory and in `cache`, a directory of ours, named by a digest of everything it depends on: the profile,
/// the library's version, the machine. A file whose content does not match its own digest is made anew.
///
/// The library takes a time that grows with the square of a profile's length, tens of seconds for thousands of
/// comparisons, and native code holds the carrier of the virtual thread that calls it. So one profile is compiled at a
/// time, on a platform thread of its own, and who asked waits without a carrier.
public final class Seccomp {

    private static final int FORMAT = 2;
    private static final int KEPT_IN_MEMORY = 64;
    private static final int DIGEST_BYTES = 32;

    private final LibSeccomp library;
    private final Path cache;
    private final Semaphore compiling = new Semaphore(1);
    private final Map<SeccompProfile, byte[]> memory = new ConcurrentHashMap<>();

    Seccomp(LibSeccomp library, Path cache) {
        this.library = library;
        this.cache = cache;
    }

    /// Empty when the host has no libseccomp 2.
    public static Optional<Seccomp> find(Path cache) {
        return LibSeccomp.find().map(library -> new Seccomp(library, cache));
    }

    /// The library's version, `2.5.4`.
    public String version() {
        return library.version();
    }

    /// The filter for `profile` as seccomp(2) takes it, `struct sock_filter` after `struct sock_filter`. Blocks: tens
    /// of milliseconds the first time, longer for profiles of hundreds of comparisons, else microseconds.
    /// @throws KernelException EINVAL an architecture or a combination that libseccomp refuses
    public byte[] compile(SeccompProfile profile) throws KernelException {
        byte[] kept = memory.get(profile);
        if (kept == null) {
            kept = stored(profile);
            if (memory.size() < KEPT_IN_MEMORY) {
                memory.put(profile, kept);
            }
        }
        return kept.clone();
    }

    private byte[] stored(SeccompProfile profile) throws KernelException {
        var file = cache.resolve(key(profile) + ".bpf");
        var found = load(file);
        if (found.isPresent()) {
            return found.get();
        }
        compiling.acquireUninterruptibly();
        try {
            var meanwhile = load(file); // somebody else may have asked for the same
            if (meanwhile.isPresent()) {
                return meanwhile.get();
            }
            byte[] compiled = compiled(profile);
            store(file, compiled);
            return compiled;
        } finally {
            compiling.release();
        }
    }

    /// Waits for the end also when interrupted: the library cannot be told to stop.
    private byte[] compiled(SeccompProfile profile) throws KernelException {
        var task = new FutureTask<byte[]>(() -> {
            try (var compiler = new SeccompCompiler(library, profile)) {
                return compiler.compile();
            }
        });
        Thread.ofPlatform().daemon().name("carafe-seccomp").start(task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KernelException refused) {
                throw refused;
            }
            throw new AssertionError("a filter could not be compiled", e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private String key(SeccompProfile profile) {
        String all = FORMAT + "|" + library.version() + "|" + Machine.THIS + "|" + profile;
        return HexFormat.of().formatHex(digest(NativeText.encode(all)));
    }

    private static Optional<byte[]> load(Path file) {
        try {
            byte[] all = Files.readAllBytes(file);
            byte[] filter = all.length > DIGEST_BYTES ? Arrays.copyOfRange(all, DIGEST_BYTES, all.length) : new byte[0];
            return filter.length > 0 && Arrays.equals(digest(filter), 0, DIGEST_BYTES, all, 0, DIGEST_BYTES)
                    ? Optional.of(filter) : Optional.empty();
        } catch (IOException notThere) {
            return Optional.empty();
        }
    }

    /// A cache that cannot be written costs time, nothing else.
    private void store(Path file, byte[] filter) {
        try {
            Files.createDirectories(cache, PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwx------")));
            var temporary = Files.createTempFile(cache, "filter", ".tmp");
            byte[] all = Arrays.copyOf(digest(filter), DIGEST_BYTES + filter.length);
            System.arraycopy(filter, 0, all, DIGEST_BYTES, filter.length);
            Files.write(temporary, all);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            System.getLogger("carafe.kernel").log(System.Logger.Level.WARNING,
                    "seccomp filter not kept in " + cache + ": " + e.getMessage());
        }
    }

    private static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }
}
