package carafe.engine;

import carafe.spec.EngineException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs git once, with an environment made for it and nothing of the daemon's but PATH. Output goes to files, so that an
/// interrupt is noticed; git and what it started are killed then, and when nothing moved for two minutes or what is
/// fetched grows beyond the limit.
final class GitProcess {

    static final Logger LOG = LoggerFactory.getLogger(GitProcess.class);

    private static final Duration STALL = Duration.ofMinutes(2);
    private static final long MOST_BYTES = 16L << 30;
    private static final int MAX_ERROR = 4096;
    private static final long LOOK_MILLIS = 500;
    private static final String PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private final Path knownHosts;

    GitProcess(Path knownHosts) {
        this.knownHosts = knownHosts;
    }

    /// In which directory (a bare repository, or an empty one), how the other side is reached, what is being done.
    record Call(Path directory, GitProgram.Way way, String what) {}

    private record Ended(int code, String error) {}

    /// What git prints, at most `limitBytes`.
    /// @throws EngineException git fails; its own words are in the sentence
    byte[] run(Call call, int limitBytes, String... words) throws EngineException, InterruptedException {
        Path output = call.directory.resolveSibling(call.directory.getFileName() + ".out");
        try {
            check(call, ended(call, output, words));
            if (Files.size(output) > Math.max(limitBytes, 4096)) {
                throw new EngineException.Invalid("cannot " + call.what + ": git's answer is longer than " + limitBytes
                        + " bytes");
            }
            return Files.readAllBytes(output);
        } catch (IOException e) {
            throw Failures.io("cannot " + call.what, e);
        } finally {
            delete(output);
        }
    }

    /// What git prints, as a stream that is whole; to be closed. It lies in `file` meanwhile.
    InputStream open(Call call, Path file, String... words) throws EngineException, InterruptedException {
        try {
            check(call, ended(call, file, words));
            var in = Files.newInputStream(file);
            Files.delete(file);
            return in;
        } catch (IOException e) {
            throw Failures.io("cannot " + call.what, e);
        }
    }

    /// Whether git ends well.
    boolean succeeds(Call call, String... words) throws EngineException, InterruptedException {
        Path output = call.directory.resolveSibling(call.directory.getFileName() + ".out");
        try {
            return ended(call, output, words).code == 0;
        } catch (IOException e) {
            throw Failures.io("cannot " + call.what, e);
        } finally {
            delete(output);
        }
    }

    private static void check(Call call, Ended ended) throws EngineException {
        if (ended.code != 0) {
            String sentence = "cannot " + call.what + ": " + (ended.error.isEmpty() ? "git ended with " + ended.code
                    : ended.error);
            throw new EngineException.Unavailable(sentence);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.debug("{} was not removed; its directory will be", file, e);
        }
    }

    private Ended ended(Call call, Path output, String... words) throws IOException, EngineException, InterruptedException {
        Path error = output.resolveSibling(output.getFileName() + ".err");
        var command = new ArrayList<String>();
        command.add("git");
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command).directory(call.directory.toFile())
                .redirectInput(Path.of("/dev/null").toFile()).redirectOutput(output.toFile()).redirectError(error.toFile());
        environment(call, builder);
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new EngineException.Unavailable("cannot " + call.what + ": git does not run on this host (" + e.getMessage()
                    + "); install it, or fetch the repository where you build and name its directory", e);
        }
        boolean done = false;
        try {
            String killed = watch(call, process);
            done = true;
            return killed.isEmpty() ? new Ended(process.exitValue(), words(error)) : new Ended(-1, killed);
        } finally {
            if (!done) {
                kill(process);
            }
            delete(error);
        }
    }

    /// Waits for the end; kills what stands still or grows too large.
    /// @return why it was killed, `""` when it was not
    private static String watch(Call call, Process process) throws InterruptedException, IOException {
        long bytes = -1;
        var moved = Instant.now();
        while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            long now = size(call.directory.resolveSibling(""));
            if (now > MOST_BYTES) {
                kill(process);
                return "it is larger than " + (MOST_BYTES >> 30) + " GiB";
            }
            if (now != bytes) {
                bytes = now;
                moved = Instant.now();
            } else if (moved.plus(STALL).isBefore(Instant.now())) {
                kill(process);
                return "nothing came for " + STALL.toSeconds() + " seconds";
            }
        }
        return "";
    }

    private static long size(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        } catch (UncheckedIOException e) {
            return -1; // a file went away while it was looked for: something moves
        }
    }

    private static void kill(Process process) {
        var all = process.descendants().toList();
        process.destroyForcibly();
        all.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
    }

    /// The last of git's own words, on one line, without control characters.
    private static String words(Path error) throws IOException {
        try (var in = Files.newInputStream(error)) {
            in.skip(Math.max(0, Files.size(error) - MAX_ERROR));
            return new String(in.readNBytes(MAX_ERROR), StandardCharsets.UTF_8).strip()
                    .replaceAll("\\s*\\n\\s*", "; ").replaceAll("\\p{Cntrl}", "");
        }
    }

    private void environment(Call call, ProcessBuilder builder) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse(PATHS);
        var environment = builder.environment();
        environment.clear();
        environment.put("PATH", path);
        environment.put("LC_ALL", "C");
        environment.put("HOME", call.directory.toString());
        environment.put("GIT_CONFIG_NOSYSTEM", "1");
        environment.put("GIT_CONFIG_GLOBAL", "/dev/null");
        environment.put("GIT_ATTR_NOSYSTEM", "1");
        environment.put("GIT_TERMINAL_PROMPT", "0");
        environment.put("GIT_ASKPASS", "/bin/false");
        environment.put("GIT_NO_REPLACE_OBJECTS", "1");
        environment.put("GIT_CEILING_DIRECTORIES", call.directory.resolveSibling("").toString());
        environment.put("GIT_ALLOW_PROTOCOL", String.join(":", call.way.protocols()));
        environment.put("GIT_SSH_COMMAND", "ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=20 -o ForwardAgent=no"
                + " -o IdentityFile=none -o StrictHostKeyChecking=accept-new -o 'UserKnownHostsFile=\"" + knownHosts + "\"'");
        environment.put("GIT_SSH_VARIANT", "ssh");
        if (!call.way.agent().isEmpty()) {
            environment.put("SSH_AUTH_SOCK", call.way.agent());
        }
        var settings = new TreeMap<String, String>();
        settings.put("protocol.allow", "never");
        for (String protocol : call.way.protocols()) {
            settings.put("protocol." + protocol + ".allow", "always");
        }
        settings.put("core.hooksPath", "/dev/null");
        settings.put("core.fsmonitor", "false");
        settings.put("credential.helper", "");
        settings.put("fetch.unpackLimit", "1");
        settings.put("gc.auto", "0");
        settings.put("maintenance.auto", "false");
        settings.put("submodule.recurse", "false");
        settings.put("http.lowSpeedLimit", "1");
        settings.put("http.lowSpeedTime", "60");
        settings.put("http.proxy", call.way.proxy());
        settings.put("init.defaultBranch", "main");
        if (!call.way.header().isEmpty()) {
            settings.put("http.extraHeader", "Authorization: " + call.way.header());
            settings.put("http.followRedirects", "false");
        }
        environment.put("GIT_CONFIG_COUNT", Integer.toString(settings.size()));
        int number = 0;
        for (var setting : settings.entrySet()) {
            environment.put("GIT_CONFIG_KEY_" + number, setting.getKey());
            environment.put("GIT_CONFIG_VALUE_" + number++, setting.getValue());
        }
    }
}
