package carafe.build.step;

import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.build.tree.FileSource;
import carafe.build.tree.Node;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// What can be known of a step's program before it is started, from the layers below the step. What a mount may bring or
/// cover, what is not found and what cannot be read is not known.
/// Source: execve(2), fs/binfmt_script.c.
final class ProgramLookup {

    /// How much of a program the kernel looks at.
    static final int HEADER_BYTES = 256;

    private static final int MACHINE_END = 20;
    private static final int MAX_SCRIPTS = 4;
    private static final Pattern SCRIPT = Pattern.compile("#![ \\t]*([^ \\t\\n\\x00]+)([ \\t\\n\\x00]?)");

    private final Operation.Run run;
    private final FileSource root;

    /// Looks for the program of `run` in `root`, the files below the step, borrowed.
    ProgramLookup(Operation.Run run, FileSource root) {
        this.run = run;
        this.root = root;
    }

    /// The first bytes of the ELF program that the kernel would start, behind `#!` if the step's program is a script.
    Optional<byte[]> header() {
        try {
            String name = run.arguments().getFirst();
            var program = name.contains("/") ? Optional.of(absolute(name)) : searched(name);
            for (int i = 0; i <= MAX_SCRIPTS && program.isPresent(); i++) {
                byte[] start = start(program.get());
                if (start.length >= MACHINE_END && Arrays.equals(Arrays.copyOf(start, Emulators.ELF.length), Emulators.ELF)) {
                    return Optional.of(Arrays.copyOf(start, HEADER_BYTES));
                }
                program = interpreter(start);
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // then the kernel's word on it counts
        }
    }

    /// Whether the step may see a file at `path`: one of the layers, or of a mount.
    boolean mayHave(String path) {
        try {
            String clean = absolute(path);
            return isHidden(clean) || root.follow(clean.substring(1)).isPresent();
        } catch (IOException e) {
            return true;
        }
    }

    /// The program's beginning; nothing when it is not known.
    private byte[] start(String path) throws IOException {
        if (run.script().isPresent() && run.script().get().path().equals(path)) {
            byte[] content = run.script().get().content().getBytes(StandardCharsets.UTF_8);
            return Arrays.copyOf(content, Math.min(content.length, HEADER_BYTES));
        }
        var file = isHidden(path) ? Optional.<Node>empty() : program(path);
        if (file.isEmpty()) {
            return new byte[0];
        }
        try (var in = root.open(file.get())) {
            return in.readNBytes(HEADER_BYTES);
        }
    }

    private Optional<Node> program(String path) throws IOException {
        return root.follow(path.substring(1)).filter(node -> node.type() == Node.Type.FILE && (node.mode() & 0111) != 0);
    }

    /// What a script names behind `#!`; none when its line is longer than what the kernel reads of it.
    private Optional<String> interpreter(byte[] start) {
        var line = SCRIPT.matcher(new String(start, StandardCharsets.UTF_8));
        boolean whole = line.lookingAt() && (!line.group(2).isEmpty() || start.length < HEADER_BYTES);
        return whole ? Optional.of(absolute(line.group(1))) : Optional.empty();
    }

    /// Where a name without slash is found along PATH.
    private Optional<String> searched(String name) throws IOException {
        if (run.mounts().stream().anyMatch(mount -> mount instanceof Mount.Secret secret
                && secret.environment().filter("PATH"::equals).isPresent())) {
            return Optional.empty();
        }
        var path = run.environment().stream().filter(entry -> entry.startsWith("PATH=")).reduce((_, last) -> last);
        if (path.isEmpty()) {
            return Optional.empty();
        }
        for (String directory : path.get().substring("PATH=".length()).split(":", -1)) {
            String candidate = absolute(directory + (directory.isEmpty() ? "" : "/") + name);
            if (isHidden(candidate)) {
                return Optional.empty();
            }
            if (program(candidate).isPresent()) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /// A path with a slash in front and none twice; what is relative starts where the step does.
    private String absolute(String path) {
        var clean = new StringBuilder();
        for (String part : (path.startsWith("/") ? path : run.directory() + "/" + path).split("/")) {
            if (!part.isEmpty() && !part.equals(".")) {
                clean.append('/').append(part);
            }
        }
        return clean.isEmpty() ? "/" : clean.toString();
    }

    /// Whether something else than the layers' file may be at `path` while the step runs.
    private boolean isHidden(String path) throws IOException {
        var real = real(path);
        if (real.isEmpty()) {
            return true;
        }
        var targets = new ArrayList<String>();
        for (String point : RunStep.STANDARD_POINTS) {
            targets.add("/" + point);
            real("/" + point).ifPresent(targets::add);
        }
        for (var mount : run.mounts()) {
            String target = absolute(mount.target());
            targets.add(target);
            var place = real(target);
            if (place.isEmpty()) {
                return true;
            }
            targets.add(place.get());
        }
        return isBelow(path, targets) || isBelow(real.get(), targets);
    }

    private static boolean isBelow(String path, List<String> targets) {
        return targets.stream().anyMatch(target -> path.equals(target) || path.startsWith(target + "/"));
    }

    /// Where `path` really is once the links on the way are followed, whether the layers have it or not; none when a link
    /// leads to what they do not have.
    private Optional<String> real(String path) throws IOException {
        String there = path.substring(1);
        String rest = "";
        while (!there.isEmpty()) {
            var node = root.follow(there);
            if (node.isPresent()) {
                String place = node.get().path();
                return Optional.of((place.isEmpty() ? "" : "/" + place) + rest);
            }
            if (root.find(there).isPresent()) {
                return Optional.empty();
            }
            int slash = there.lastIndexOf('/');
            String name = there.substring(slash + 1);
            if (name.equals("..")) {
                return Optional.empty();
            }
            rest = "/" + name + rest;
            there = slash < 0 ? "" : there.substring(0, slash);
        }
        return Optional.of(rest);
    }
}
