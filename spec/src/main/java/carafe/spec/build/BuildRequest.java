package carafe.spec.build;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A build as somebody asks for it, beside its context: the Dockerfile's path in the context, names for the result,
/// arguments (a value may be absent: then the Dockerfile's default holds), labels, the target stage, the platforms
/// (none: this host's), where its files come from.
public record BuildRequest(String dockerfile, List<String> tags, Map<String, String> arguments,
        Map<String, String> labels, Optional<String> target, List<String> platforms, Cache cache, Running running,
        Result result, BuildContexts contexts) {

    /// What a Dockerfile from standard input is called among the context's files that it is sent with.
    public static final String FROM_STDIN = ".dockerfile.from-stdin";
    /// What one is called there that lies outside of the context.
    public static final String FROM_OUTSIDE = ".dockerfile.from-outside";
    /// Dockerfiles that are sent among the context's files and are none of them: no step sees them.
    public static final Set<String> APART = Set.of(FROM_STDIN, FROM_OUTSIDE);

    /// Which results of earlier builds count: none with `ignore`; none for the stages in `ignoreStages`; beside those of
    /// this engine the ones of `from`. Where the results go beside this engine: `to`.
    public record Cache(boolean ignore, List<String> ignoreStages, List<CacheImport> from, List<CacheExport> to) {
        /// All of this engine's count.
        public static final Cache USE = new Cache(false, List.of());

        public Cache {
            ignoreStages = List.copyOf(ignoreStages);
            from = List.copyOf(from);
            to = List.copyOf(to);
        }

        /// Nothing from elsewhere, nothing elsewhere.
        public Cache(boolean ignore, List<String> ignoreStages) {
            this(ignore, ignoreStages, List.of(), List.of());
        }
    }

    /// How programs run: network (`default`, `host`, `none`, or a user's network), limits, secrets by id, agents' sockets
    /// by id, whether steps may ask for `--security=insecure` and for `--network=host` (they may where the build's own is
    /// the host's), and whether a failing step's state is kept as an image.
    public record Running(String network, BuildLimits limits, Map<String, byte[]> secrets, Map<String, String> agents,
            boolean insecure, boolean hostNetwork, boolean keepFailed) {
        /// Nothing special.
        public static final Running PLAIN = new Running("default", BuildLimits.NONE, Map.of(), Map.of(), false, false);

        public Running {
            secrets = Map.copyOf(secrets);
            agents = Map.copyOf(agents);
            hostNetwork |= network.equals("host");
        }

        /// Steps have the host's network only where the build has.
        public Running(String network, BuildLimits limits, Map<String, byte[]> secrets, Map<String, String> agents,
                boolean insecure, boolean keepFailed) {
            this(network, limits, secrets, agents, insecure, false, keepFailed);
        }
    }

    /// What is made: an image, or only answers about the Dockerfile; the time that no file or date of the result is
    /// later than (seconds since 1970); whether each step is to be explained; whether base images are looked up again; what
    /// it is annotated with; whether answers are JSON documents as buildx's, not texts; whether it goes to a registry next,
    /// so that its layers are compressed as they come.
    public record Result(Call call, Optional<Long> epoch, boolean explain, boolean pull, List<BuildAnnotation> annotations,
            boolean json, boolean pushed) {
        /// An image.
        public static final Result IMAGE = new Result(Call.BUILD, Optional.empty(), false, false);

        public Result {
            annotations = List.copyOf(annotations);
        }

        /// Stays here.
        public Result(Call call, Optional<Long> epoch, boolean explain, boolean pull, List<BuildAnnotation> annotations,
                boolean json) {
            this(call, epoch, explain, pull, annotations, json, false);
        }

        /// Without annotations; answers are texts.
        public Result(Call call, Optional<Long> epoch, boolean explain, boolean pull) {
            this(call, epoch, explain, pull, List.of(), false);
        }
    }

    /// What is wanted of a Dockerfile.
    public enum Call { BUILD, CHECK, OUTLINE, TARGETS }

    /// An image called `tags` from the file `Dockerfile`.
    public static BuildRequest of(List<String> tags) {
        return new BuildRequest("Dockerfile", tags, Map.of(), Map.of(), Optional.empty(), List.of(), Cache.USE, Running.PLAIN,
                Result.IMAGE, BuildContexts.NONE);
    }

    /// The same from other contexts.
    public BuildRequest from(BuildContexts others) {
        return new BuildRequest(dockerfile, tags, arguments, labels, target, platforms, cache, running, result, others);
    }

    public BuildRequest {
        tags = List.copyOf(tags);
        platforms = List.copyOf(platforms);
        arguments = Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }
}
