package carafe.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A host with systemd and pure cgroup v2, of Debian 12's kernel, that lives for one command (`e2e/vm/run-in-vm`).
final class VirtualMachine {

    private VirtualMachine() {}

    /// Boots the machine, runs the shell script as root with a copy of `disk` at /carafe, and ends the machine.
    /// What the script says is shown as it comes, since it may take minutes.
    static Outcome run(Path disk, String script, Duration deadline) throws IOException, InterruptedException {
        var command = List.of(
                Tools.E2E.resolve("vm/run-in-vm").toString(),
                "--deadline", Long.toString(deadline.toSeconds()),
                "--disk", disk.toString(),
                "--", script);
        var errors = Files.createTempFile("vm", ".err");
        var process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        try {
            process.getOutputStream().close();
            var out = new StringBuilder();
            try (var reader = new BufferedReader(
                    new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    System.out.println("vm | " + line);
                    out.append(line).append('\n');
                }
            }
            int code = process.waitFor();
            return new Outcome(List.of("run-in-vm"), code, out.toString(), Files.readString(errors));
        } finally {
            process.destroy();
            Files.delete(errors);
        }
    }
}
