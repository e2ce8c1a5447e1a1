package carafe.build.dockerfile;

import carafe.spec.oci.Healthcheck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// Reads HEALTHCHECK and Go's durations (`1m30s`, `500ms`).
final class HealthcheckParser {

    static final List<String> FLAGS = List.of("interval", "timeout", "start-period", "start-interval", "retries");

    private static final Pattern PART = Pattern.compile("(\\d{1,12}(?:\\.\\d{1,9})?)(ns|us|µs|ms|s|m|h)");

    private final Statement statement;
    private final Flags flags;

    HealthcheckParser(Statement statement, Flags flags) {
        this.statement = statement;
        this.flags = flags;
    }

    Instruction.Health read() throws DockerfileException {
        String[] halves = statement.rest().split("\\s+", 2);
        String kind = halves[0].toUpperCase(Locale.ROOT);
        String rest = halves.length > 1 ? halves[1] : "";
        if (kind.equals("NONE")) {
            if (!rest.isEmpty()) {
                throw new DockerfileException(statement.span(), "HEALTHCHECK NONE takes no arguments");
            }
            return new Instruction.Health(new Healthcheck(List.of("NONE"), Duration.ZERO, Duration.ZERO, Duration.ZERO,
                    Duration.ZERO, 0), Optional.empty());
        }
        if (!kind.equals("CMD")) {
            throw new DockerfileException(statement.span(), "Unknown type \"" + kind
                    + "\" in HEALTHCHECK (try CMD or NONE)");
        }
        var inner = new Statement(statement.keyword(), List.of(), rest, List.of(), statement.span(), List.of());
        var exec = InstructionParser.jsonTexts(inner);
        if (rest.isEmpty() || exec.isPresent() && exec.get().isEmpty()) {
            throw new DockerfileException(statement.span(), "Missing command after HEALTHCHECK CMD");
        }
        var test = new ArrayList<String>();
        test.add(exec.isPresent() ? "CMD" : "CMD-SHELL");
        test.addAll(exec.orElse(List.of(rest)));
        var check = new Healthcheck(test, duration("interval"), duration("timeout"), duration("start-period"),
                duration("start-interval"), retries());
        return new Instruction.Health(check,
                Optional.of(new CommandLine(exec.isPresent(), exec.orElse(List.of(rest)), List.of())));
    }

    private int retries() throws DockerfileException {
        var text = flags.text("retries");
        if (text.isEmpty() || text.get().isEmpty()) {
            return 0;
        }
        if (!text.get().matches("\\d{1,6}")) {
            throw new DockerfileException(statement.span(), "--retries must be a number, at least 0, not "
                    + text.get());
        }
        return Integer.parseInt(text.get());
    }

    private Duration duration(String name) throws DockerfileException {
        var text = flags.text(name);
        if (text.isEmpty() || text.get().isEmpty()) {
            return Duration.ZERO;
        }
        var read = duration(statement, name, text.get());
        if (!read.isZero() && read.compareTo(Duration.ofMillis(1)) < 0) {
            throw new DockerfileException(statement.span(), "--" + name + " cannot be less than 1ms");
        }
        return read;
    }

    private static Duration duration(Statement statement, String name, String text) throws DockerfileException {
        var matcher = PART.matcher(text);
        var sum = Duration.ZERO;
        int end = 0;
        while (matcher.find() && matcher.start() == end) {
            end = matcher.end();
            double nanos = Double.parseDouble(matcher.group(1)) * switch (matcher.group(2)) {
                case "ns" -> 1;
                case "us", "µs" -> 1e3;
                case "ms" -> 1e6;
                case "s" -> 1e9;
                case "m" -> 60e9;
                default -> 3600e9;
            };
            sum = sum.plusNanos((long) Math.min(nanos, 9e17));
        }
        if (end != text.length() && !text.equals("0")) {
            throw new DockerfileException(statement.span(), "invalid duration \"" + text + "\" of --" + name
                    + ": write it as 30s, 1m30s or 500ms");
        }
        return sum;
    }
}
