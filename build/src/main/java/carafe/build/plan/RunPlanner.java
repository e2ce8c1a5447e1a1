package carafe.build.plan;

import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Heredoc;
import carafe.build.dockerfile.Instruction;
import carafe.build.dockerfile.PlatformArguments;
import carafe.build.dockerfile.Span;
import carafe.spec.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Plans RUN.
final class RunPlanner {

    private final StagePlanner stage;
    private final Span span;

    RunPlanner(StagePlanner stage, Span span) {
        this.stage = stage;
        this.span = span;
    }

    /// What is run, and how history tells it.
    record Planned(Operation.Run run, String history) {}

    Planned plan(Instruction.Run run) throws DockerfileException, EngineException {
        if (!run.devices().isEmpty()) {
            throw new EngineException.Unsupported("RUN --device is not supported; line " + span.first() + " asks for "
                    + String.join(", ", run.devices()));
        }
        var command = run.command();
        Optional<Operation.Script> script = Optional.empty();
        List<String> arguments;
        if (command.exec()) {
            arguments = command.words();
            if (arguments.isEmpty()) {
                throw new DockerfileException(span, "RUN requires at least one argument");
            }
        } else if (command.heredocs().isEmpty()) {
            arguments = stage.shell(command.words().getFirst());
        } else if (isAlone(command.words().getFirst(), command.heredocs())) {
            var heredoc = command.heredocs().getFirst();
            if (heredoc.content().startsWith("#!")) {
                script = Optional.of(new Operation.Script("/dev/pipes/" + safe(heredoc.name()), heredoc.content()));
                arguments = List.of(script.get().path());
            } else {
                arguments = stage.shell(heredoc.content());
            }
        } else {
            arguments = stage.shell(withHeredocs(command.words().getFirst(), command.heredocs()));
        }
        var environment = new ArrayList<>(stage.environment());
        var shown = new ArrayList<String>();
        stage.visibleArguments().forEach((name, value) -> {
            environment.add(name + "=" + value);
            shown.add(name + "=" + value);
        });
        var planned = new Operation.Run(arguments, environment, hidden(), stage.currentDirectory(), stage.user(),
                mounts(run), network(run), buildkit().hostName(), run.security().filter("insecure"::equals).isPresent(), script);
        return new Planned(planned, history(arguments, shown));
    }

    private BuildkitArguments buildkit() throws EngineException {
        return BuildkitArguments.of(stage.planner().options().arguments());
    }

    private String network(Instruction.Run run) throws DockerfileException {
        if (run.network().isEmpty()) {
            return stage.planner().options().network();
        }
        String network = stage.expand(run.network().get(), span);
        if (!List.of("default", "none", "host").contains(network)) {
            throw new DockerfileException(span, "invalid network mode \"" + network + "\"");
        }
        return network.equals("default") ? stage.planner().options().network() : network;
    }

    private static boolean isAlone(String line, List<Heredoc> heredocs) {
        return heredocs.size() == 1 && line.matches("<<-?\\s*[\"']?[^\\s\"']+[\"']?")
                && heredocs.getFirst().descriptor().isEmpty();
    }

    private static String safe(String name) {
        return name.replaceAll("[^A-Za-z0-9_.-]", "_").replaceAll("^\\.+", "_");
    }

    private static String withHeredocs(String line, List<Heredoc> heredocs) {
        var text = new StringBuilder(line).append('\n');
        for (var heredoc : heredocs) {
            text.append(heredoc.content()).append(heredoc.name()).append('\n');
        }
        return text.toString();
    }

    /// Proxies that no ARG declares; a declared one is an argument like any other.
    private List<String> hidden() {
        var hidden = new ArrayList<String>();
        stage.planner().options().arguments().forEach((name, value) -> {
            if (PlatformArguments.PROXIES.contains(name) && !stage.isDeclared(name)) {
                hidden.add(name + "=" + value);
            }
        });
        hidden.sort(null);
        return hidden;
    }

    private List<Mount> mounts(Instruction.Run run) throws DockerfileException, EngineException {
        var mounts = new ArrayList<Mount>();
        var reader = new MountReader(stage, span);
        for (String text : run.mounts()) {
            mounts.add(reader.read(text));
        }
        return mounts;
    }

    private static String history(List<String> arguments, List<String> shown) {
        var text = new StringBuilder("RUN ");
        if (!shown.isEmpty()) {
            text.append('|').append(shown.size()).append(' ').append(String.join(" ", shown)).append(' ');
        }
        return text.append(String.join(" ", arguments)).append(" # buildkit").toString();
    }
}
