package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// What runs in a container and how its streams behave: the top level of `POST /containers/create` and `Config` of
/// inspect. `document` is the complete message in Docker's spelling; the other components are what the engine acts on.
public record ContainerConfig(
        Json.Obj document,
        String image,
        Command command,
        Streams streams,
        Names names,
        Map<String, String> labels,
        Set<String> volumes,
        Set<String> exposedPorts,
        Stop stop,
        boolean networkDisabled) {

    private static final Shape SHAPE = Shape.of("""
            {"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,
            "ExposedPorts":"?","Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":[],"Cmd":null,"Healthcheck":"?",
            "ArgsEscaped":"?","Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"NetworkDisabled":"?",
            "MacAddress":"?","OnBuild":null,"Labels":{},"StopSignal":"?","StopTimeout":"?","Shell":"?"}""");
    private static final Pattern HOST_NAME = Pattern.compile("[^\\s/\\x00-\\x1f]{1,255}");
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))?");

    /// The words to run. Empty optionals mean "as the image says"; an empty list clears what the image says.
    /// `arguments` is Docker's `Cmd`.
    public record Command(
            Optional<List<String>> entrypoint,
            Optional<List<String>> arguments,
            List<String> environment,
            String workingDirectory,
            String user) {
        public Command {
            entrypoint = entrypoint.map(List::copyOf);
            arguments = arguments.map(List::copyOf);
            environment = List.copyOf(environment);
        }
    }

    /// Which streams the creator wants attached, and whether there is a terminal and a stdin at all.
    public record Streams(
            boolean terminal,
            boolean openStdin,
            boolean stdinOnce,
            boolean attachStdin,
            boolean attachStdout,
            boolean attachStderr) {}

    /// Host and domain name; empty means the engine chooses (the short id) or none.
    public record Names(String host, String domain) {}

    /// How the container is asked to end: a signal's name or number, and seconds until SIGKILL (−1: never).
    public record Stop(Optional<String> signal, Optional<Integer> timeoutSeconds) {}

    public ContainerConfig {
        labels = Map.copyOf(labels);
        volumes = Set.copyOf(volumes);
        exposedPorts = Set.copyOf(exposedPorts);
    }

    /// Reads the fields of a create request; fields of other messages in `given` (HostConfig…) are ignored.
    public static ContainerConfig parse(Json.Obj given) throws EngineException.Invalid {
        Json.Obj asked = SHAPE.complete(given);
        Json.Obj document = asked.with(
                Map.of("Cmd", wordsOrNull(asked, "Cmd"), "Entrypoint", wordsOrNull(asked, "Entrypoint")));
        var command = new Command(
                words(document, "Entrypoint"),
                words(document, "Cmd"),
                environment(document),
                document.text("WorkingDir"),
                document.text("User"));
        if (!command.workingDirectory().isEmpty() && !command.workingDirectory().startsWith("/")) {
            throw new EngineException.Invalid("the working directory '" + command.workingDirectory()
                    + "' is invalid, it needs to be an absolute path");
        }
        var streams = new Streams(
                document.truth("Tty"),
                document.truth("OpenStdin"),
                document.truth("StdinOnce"),
                document.truth("AttachStdin"),
                document.truth("AttachStdout"),
                document.truth("AttachStderr"));
        return new ContainerConfig(
                document,
                document.text("Image"),
                command,
                streams,
                names(document),
                document.textMap("Labels"),
                new LinkedHashSet<>(document.object("Volumes").fields().keySet()),
                ports(document),
                stop(document),
                document.truth("NetworkDisabled"));
    }

    /// This configuration with those names.
    public ContainerConfig called(Names chosen) throws EngineException.Invalid {
        Json.Obj renamed = document.with(
                Map.of("Hostname", Json.of(chosen.host()), "Domainname", Json.of(chosen.domain())));
        return new ContainerConfig(renamed, image, command, streams, names(renamed), labels, volumes, exposedPorts, stop,
                networkDisabled);
    }

    private static Names names(Json.Obj document) throws EngineException.Invalid {
        String host = document.text("Hostname");
        String domain = document.text("Domainname");
        if (!host.isEmpty() && (!HOST_NAME.matcher(host).matches() || host.length() > 64)) {
            throw new EngineException.Invalid("invalid hostname format: " + host);
        }
        if (!domain.isEmpty() && !HOST_NAME.matcher(domain).matches()) {
            throw new EngineException.Invalid("invalid domainname format: " + domain);
        }
        return new Names(host, domain);
    }

    private static Set<String> ports(Json.Obj document) throws EngineException.Invalid {
        var ports = document.object("ExposedPorts").fields().keySet();
        for (var port : ports) {
            if (!PORT.matcher(port).matches()) {
                throw new EngineException.Invalid("invalid port specification: \"" + port + "\"");
            }
        }
        return ports;
    }

    private static Stop stop(Json.Obj document) throws EngineException.Invalid {
        String signal = document.text("StopSignal");
        if (!signal.isEmpty()) {
            Signals.number(signal);
        }
        var seconds = document.number("StopTimeout");
        return new Stop(
                signal.isEmpty() ? Optional.empty() : Optional.of(signal),
                seconds.map(value -> Math.clamp(value, -1, Integer.MAX_VALUE)));
    }

    private static List<String> environment(Json.Obj document) throws EngineException.Invalid {
        var environment = document.texts("Env");
        for (var entry : environment) {
            if (entry.isEmpty() || entry.startsWith("=") || entry.indexOf('\0') >= 0) {
                throw new EngineException.Invalid("invalid environment variable: " + entry.replace("\0", "\\0"));
            }
        }
        return environment;
    }

    /// Words given as a list or as one string.
    static Optional<List<String>> words(Json.Obj document, String key) throws EngineException.Invalid {
        var value = document.find(key);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        var words = new ArrayList<String>(
                value.get() instanceof Json.Str(String word) ? List.of(word) : document.texts(key));
        for (var word : words) {
            if (word.indexOf('\0') >= 0) {
                throw new EngineException.Invalid("\"" + key + "\" must not contain a zero byte");
            }
        }
        return Optional.of(List.copyOf(words));
    }

    private static Json wordsOrNull(Json.Obj document, String key) throws EngineException.Invalid {
        var words = words(document, key);
        return words.isPresent() ? Json.ofTexts(words.get()) : Json.NULL;
    }
}
