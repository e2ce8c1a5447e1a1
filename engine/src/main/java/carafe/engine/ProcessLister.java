package carafe.engine;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Lists a container's processes with the host's `ps`, keeping the lines of its own.
final class ProcessLister {
    private static final int MOST_BYTES = 16 << 20;
    private static final int DEADLINE_SECONDS = 10;

    private ProcessLister() {}

    /// `arguments` are the user's for ps; a column PID must be among what it prints.
    static ProcessTable list(List<Integer> pids, String arguments) throws EngineException, InterruptedException {
        var words = new ArrayList<String>();
        words.add("ps");
        for (var word : (arguments.isBlank() ? "-ef" : arguments).strip().split("\\s+")) {
            if (word.indexOf('\0') >= 0) {
                throw new EngineException.Invalid("bad ps arguments");
            }
            words.add(word);
        }
        return parse(run(words), pids);
    }

    private static String run(List<String> words) throws EngineException, InterruptedException {
        try {
            var process = new ProcessBuilder(words).redirectErrorStream(true).start();
            try {
                process.getOutputStream().close();
                String output;
                try (var in = process.getInputStream()) {
                    output = new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
                }
                if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                    throw new EngineException.Invalid("ps: " + output.lines().findFirst().orElse("failed"));
                }
                return output;
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new EngineException.Unsupported("the host has no ps command: " + e.getMessage());
        }
    }

    static ProcessTable parse(String output, List<Integer> pids) throws EngineException {
        var lines = output.split("\n");
        var titles = Arrays.asList(lines[0].strip().split("\\s+"));
        int pidColumn = titles.indexOf("PID");
        if (pidColumn < 0) {
            throw new EngineException.Invalid("Couldn't find PID field in ps output");
        }
        var wanted = new HashSet<>(pids);
        var rows = new ArrayList<List<String>>();
        for (var line : Arrays.asList(lines).subList(1, lines.length)) {
            var fields = Arrays.asList(line.strip().split("\\s+", titles.size()));
            if (fields.size() > pidColumn && isWanted(fields.get(pidColumn), wanted)) {
                rows.add(fields);
            }
        }
        return new ProcessTable(titles, rows);
    }

    private static boolean isWanted(String pid, HashSet<Integer> wanted) {
        try {
            return wanted.contains(Integer.parseInt(pid));
        } catch (NumberFormatException e) {
            return false; // a continuation line of some ps
        }
    }
}
