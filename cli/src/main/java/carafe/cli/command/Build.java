package carafe.cli.command;

import carafe.cli.build.BuildProgress;
import carafe.cli.client.EngineError;
import carafe.cli.create.Checks;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Flags;
import carafe.cli.flag.Values;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildAnnotation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// `build`: sends the context and what is asked for, shows what happens.
final class Build {

    private static final Map<String, String> REFUSED = new TreeMap<>(Map.of(
            "isolation", "it is a matter of Windows",
            "policy", "policies of sources are not known to this engine",
            "resource", "say --memory, --cpu-shares, --cpu-quota or --cpuset-cpus",
            "security-opt", "steps have the default profile; --allow security.insecure lets those out of it that ask for it",
            "squash", "layers are kept apart; begin a last stage with FROM scratch and COPY --from, which has one layer"));

    private final Call call;
    private final Session session;
    private final Flags flags;
    private final Set<String> tags;

    private Build(Call call) {
        this.call = call;
        this.session = call.session();
        this.flags = call.flags();
        this.tags = new LinkedHashSet<>(flags.list("tag"));
    }

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] PATH | URL | -", "Start a build")
                .aliases("image build", "builder build", "build").words(1, 1);
        var flags = command.flags();
        flags.strings("add-host", "Add a custom host-to-IP mapping (format: \"host:ip\")").checked(Checks::extraHost);
        flags.list("allow", "Allow extra privileged entitlement (\"network.host\", \"security.insecure\")");
        flags.list("annotation", "Add annotation to the image (format: \"[index|manifest[platform]|...:]key=value\")");
        flags.list("attest", "Attestation parameters (none can be made yet)").hidden();
        flags.list("build-arg", "Set build-time variables").checked(Build::named);
        flags.list("build-context", "Additional build contexts (e.g., name=path)");
        flags.text("builder", "Override the configured builder instance (the engine is the only one)").hidden();
        flags.list("cache-from", "External cache sources (e.g., \"user/app:cache\", \"type=local,src=path/to/dir\")");
        flags.list("cache-to", "Cache export destinations (e.g., \"user/app:cache\", \"type=local,dest=path/to/dir\")");
        flags.text("call", "Set method for evaluating build (\"check\", \"outline\", \"targets\", \"subrequests.describe\","
                        + " each also with \",format=json\")")
                .otherwise("build");
        flags.text("cgroup-parent", "Set the parent cgroup for the \"RUN\" instructions during build");
        flags.bool("check", "Shorthand for \"--call=check\"");
        flags.integer("cpu-period", 0, "Limit the CPU CFS (Completely Fair Scheduler) period");
        flags.integer("cpu-quota", 0, "Limit the CPU CFS (Completely Fair Scheduler) quota");
        flags.integer("c,cpu-shares", 0, "CPU shares (relative weight)");
        flags.text("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)");
        flags.text("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)");
        flags.bool("D,debug", "Keep a failing step's state, and open a shell in it");
        flags.bool("explain", "Say of each step why it was or was not cached");
        flags.text("f,file", "Name of the Dockerfile (default: \"PATH/Dockerfile\")");
        flags.text("iidfile", "Write the image ID to a file");
        flags.list("label", "Set metadata for an image").checked(Build::named);
        flags.bool("load", "Shorthand for \"--output=type=image\"").hidden();
        flags.text("m,memory", "Memory limit of the \"RUN\" instructions");
        flags.add("memory-swap", "bytes", "Swap limit equal to memory plus swap: -1 to enable unlimited swap")
                .checked(Values::bytesOrUnlimited);
        flags.text("metadata-file", "Write the image ID and names to a file, as JSON");
        flags.text("network", "Set the networking mode for the \"RUN\" instructions during build").otherwise("default");
        flags.bool("no-cache", "Do not use cache when building the image");
        flags.list("no-cache-filter", "Do not cache specified stages");
        flags.list("o,output", "Output destination (format: \"type=tar,dest=path\")");
        flags.list("platform", "Set target platforms for build (e.g., \"linux/amd64,linux/arm64\")");
        flags.text("progress", "Set type of progress output (\"auto\", \"none\", \"plain\", \"quiet\", \"rawjson\","
                        + " \"tty\")")
                .otherwise("auto");
        flags.text("provenance", "Shorthand for \"--attest=type=provenance\"").hidden();
        flags.bool("push", "Shorthand for \"--output=type=registry\"");
        flags.bool("pull", "Always attempt to pull all referenced images");
        flags.bool("q,quiet", "Suppress the build output and print image ID on success");
        flags.text("sbom", "Shorthand for \"--attest=type=sbom\"").hidden();
        flags.list("secret", "Secret to expose to the build (format: \"id=mysecret[,src=/local/secret]\")");
        flags.text("shm-size", "Shared memory size for build containers");
        flags.list("ssh", "SSH agent socket or keys to expose to the build (format: \"default|<id>[=<socket>|<key>[,<key>]]\")");
        flags.list("t,tag", "Name and optionally a tag (format: \"name:tag\")");
        flags.text("target", "Set the target build stage to build");
        flags.list("ulimit", "Ulimit options");
        others(flags);
        return command.does(call -> new Build(call).run());
    }

    private static String named(String pair) throws FlagException {
        if (pair.isEmpty() || pair.startsWith("=")) {
            throw new FlagException("invalid key-value pair \"" + pair + "\": empty key");
        }
        return pair;
    }

    /// What Docker's classic builder, or a newer buildx, has beside these.
    private static void others(Flags flags) {
        for (String word : List.of("compress", "force-rm")) {
            flags.bool(word, "There is nothing that it would change").hidden();
        }
        for (String word : List.of("disable-content-trust", "rm")) {
            flags.bool(word, "There is nothing that it would change").otherwise("true").hidden();
        }
        flags.bool("squash", REFUSED.getOrDefault("squash", "")).hidden();
        for (String word : List.of("isolation", "policy", "resource", "security-opt")) {
            flags.list(word, REFUSED.getOrDefault(word, "")).hidden();
        }
    }

    private int run() throws Failure, EngineError, EngineException.Invalid, IOException {
        var described = BuildCall.of(flags).described();
        if (described.isPresent()) {
            session.print(described.get());
            return 0;
        }
        refuseWhatIsMissing();
        boolean several = BuildDocument.platforms(flags).size() > 1;
        var outputs = BuildOutput.readAll(flags.list("output"), flags.truth("push"), several);
        var annotations = new ArrayList<>(flags.list("annotation"));
        for (var output : outputs) {
            annotations.addAll(output.annotations());
            output.name().ifPresent(tags::add);
        }
        if (outputs.stream().anyMatch(output -> output.kind() == BuildOutput.Kind.PUSHED) && tags.isEmpty()) {
            throw new Failure(1, "tag is needed when pushing to registry: -t NAME");
        }
        if (!outputs.isEmpty() && outputs.stream().allMatch(output -> output.kind() == BuildOutput.Kind.NOTHING)) {
            tags.clear(); // what is not exported has no name
        }
        checkAnnotations(annotations);
        var caches = BuildCaches.read(call);
        try {
            return run(outputs, annotations, caches);
        } finally {
            caches.end();
        }
    }

    /// What buildx has and this has not is told; scripts that switch it off are content.
    private void refuseWhatIsMissing() throws Failure {
        boolean wanted = !flags.list("attest").stream().allMatch(Build::switchesOff);
        for (String flag : List.of("provenance", "sbom")) {
            wanted |= !flags.text(flag).isEmpty() && !switchesOff(flags.text(flag));
        }
        if (wanted) {
            throw new Failure(1, "attestations (provenance, SBOM) cannot be made yet: leave out --attest, --provenance and"
                    + " --sbom, or say --provenance=false");
        }
        for (var missing : REFUSED.entrySet()) {
            String word = missing.getKey();
            boolean said = word.equals("squash") ? flags.truth(word)
                    : !flags.list(word).stream().allMatch(value -> value.isEmpty() || value.equals("default"));
            if (said) {
                throw new Failure(1, "--" + word + " cannot be done: " + missing.getValue());
            }
        }
        for (String allowed : flags.list("allow")) {
            if (!List.of("security.insecure", "network.host").contains(allowed)) {
                throw new Failure(1, "invalid entitlement \"" + allowed + "\": security.insecure and network.host are known");
            }
        }
        if (!List.of("", "default").contains(flags.text("builder"))) {
            throw new Failure(1, "there is no builder \"" + flags.text("builder") + "\": the engine is the only one, and is"
                    + " chosen with -H, -c or CARAFE_HOST");
        }
    }

    private static void checkAnnotations(List<String> annotations) throws Failure {
        try {
            BuildAnnotation.parseAll(annotations); // a wrong one is told before anything is sent
        } catch (EngineException.Invalid e) {
            throw new Failure(1, e.getMessage());
        }
    }

    /// Whether a value of --attest, --provenance or --sbom says that none is wanted: `false`, or `disabled=true` in a list.
    private static boolean switchesOff(String text) {
        if (isBoolean(text, "false")) {
            return true;
        }
        return Stream.of(text.split(",")).map(String::strip).filter(field -> field.startsWith("disabled="))
                .reduce((_, last) -> last).filter(field -> isBoolean(field.substring("disabled=".length()), "true")).isPresent();
    }

    private static boolean isBoolean(String text, String value) {
        try {
            return Values.bool(text).equals(value);
        } catch (FlagException _) {
            return false; // it says something else
        }
    }

    private int run(List<BuildOutput> outputs, List<String> annotations, BuildCaches caches)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        var source = new BuildFiles(call).read();
        boolean pushed = outputs.stream().anyMatch(output -> output.kind() == BuildOutput.Kind.PUSHED);
        Json.Obj last;
        BuildProgress progress;
        try (var agents = BuildAgents.open(call)) {
            var document = caches.into(new BuildDocument(call).read(source, List.copyOf(tags), annotations, agents.sockets()))
                    .with("pushed", Json.of(pushed));
            progress = new BuildProgress(session, style());
            try {
                last = new BuildSending(call, progress).send(document, source);
            } catch (EngineError e) {
                progress.end();
                return failed(String.valueOf(e.getMessage()));
            } finally {
                progress.end();
            }
        }
        if (last.text("event").equals("outcome")) {
            caches.write(last);
        }
        return finish(last, progress, outputs);
    }

    private int finish(Json.Obj last, BuildProgress progress, List<BuildOutput> outputs)
            throws Failure, EngineException.Invalid, IOException, EngineError {
        switch (last.text("event")) {
            case "outcome" -> {
                session.print(last.text("text"));
                var made = BuildResult.of(last);
                String image = made.name();
                var wanted = BuildCall.of(flags);
                if (wanted.answers()) {
                    return wanted.status(last.text("text"), progress.warned());
                }
                if (flags.truth("quiet") || style() == BuildProgress.Style.QUIET) {
                    if (outputs.stream().noneMatch(BuildOutput::printed)) {
                        session.println(image);
                    }
                } else if (!image.isEmpty()) {
                    session.say("built " + image + (tags.isEmpty() ? "" : " named " + String.join(", ", tags)));
                }
                var names = List.copyOf(tags);
                for (var output : image.isEmpty() ? List.<BuildOutput>of() : outputs) {
                    made = output.write(call, made, names);
                }
                write("iidfile", made.name());
                write("metadata-file", made.metadata(names).print() + "\n");
                return 0;
            }
            case "error" -> {
                String image = progress.failure().isPresent() ? progress.failure().get().text("image") : "";
                int code = failed(last.text("message"));
                return image.isEmpty() ? code : debug(image);
            }
            default -> throw new Failure(1, "the engine broke the build off without saying why");
        }
    }

    private int failed(String message) {
        session.say("ERROR: failed to build: " + message);
        return 1;
    }

    /// Writes the file that a flag names, if it does.
    private void write(String flag, String content) throws IOException {
        if (!flags.text(flag).isEmpty()) {
            Path file = session.path(flags.text(flag));
            try (var out = session.files().overwrite(file)) {
                out.write(content.getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    /// A shell in the state that the failing step left; without a terminal, how to get one.
    private int debug(String image) throws IOException {
        String program = Help.PROGRAM;
        String words = "run --rm -it " + image;
        if (session.terminal().isTerminal(0) && session.terminal().isTerminal(1)) {
            session.say("  the failing step's files, in a shell (" + program + " " + words + "):");
            var shell = new Session(List.of(words.split(" ")), session.environment(), session.directory(), session.in(),
                    session.out(), session.err(), session.terminal(), session.files(), session.signals(),
                    session.programs(), session.caller(), session.clock());
            Carafe.run(shell, call.starter());
        } else {
            session.say("  try:  " + program + " " + words);
        }
        return 1;
    }

    private BuildProgress.Style style() throws Failure {
        String variable = flags.given("progress") ? "" : session.variable("BUILDKIT_PROGRESS");
        String asked = flags.truth("quiet") ? "quiet" : variable.isEmpty() ? flags.text("progress") : variable;
        return switch (asked.toLowerCase(Locale.ROOT)) {
            case "quiet", "none" -> BuildProgress.Style.QUIET;
            case "plain" -> BuildProgress.Style.PLAIN;
            case "tty" -> BuildProgress.Style.TTY;
            case "rawjson" -> BuildProgress.Style.RAWJSON;
            case "auto" -> session.terminal().isTerminal(2) && session.variable("NO_COLOR").isEmpty()
                    ? BuildProgress.Style.TTY : BuildProgress.Style.PLAIN;
            default -> throw new Failure(1, "invalid progress mode " + asked);
        };
    }
}
