package carafe.build.plan;

import carafe.spec.build.BuildContexts;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/// What a step does to the files.
public sealed interface Operation {

    /// The same in a plan whose stages have other numbers.
    default Operation numbered(IntUnaryOperator numbers) {
        return switch (this) {
            case Run run -> new Run(run.arguments, run.environment, run.hidden, run.directory, run.user,
                    run.mounts.stream().map(mount -> mount.numbered(numbers)).toList(), run.network, run.hostName,
                    run.insecure, run.script);
            case Copy copy -> new Copy(copy.add, copy.from.numbered(numbers), copy.sources, copy.inline, copy.destination,
                    copy.options);
            case Nothing _, MakeDirectory _ -> this;
        };
    }

    /// Whether it looks at files of the build's context.
    default boolean readsContext() {
        return switch (this) {
            case Copy copy -> copy.from instanceof Origin.Context
                    && !(copy.add && copy.sources.stream().allMatch(BuildContexts::isRemote));
            case Run run -> run.mounts.stream().anyMatch(mount -> switch (mount) {
                case Mount.Bind bind -> bind.from() instanceof Origin.Context;
                case Mount.Cache cache -> cache.from().filter(from -> from instanceof Origin.Context).isPresent();
                case Mount.Tmpfs _, Mount.Secret _, Mount.Ssh _ -> false;
            });
            case Nothing _, MakeDirectory _ -> false;
        };
    }

    /// Nothing: only the configuration changes.
    record Nothing() implements Operation {}

    /// Runs a program. `environment` holds what the image's does, and the declared arguments; `hidden` what the program
    /// gets but no key or history may know (proxies); `hostName` is what it calls its host, `""` the usual name.
    record Run(List<String> arguments, List<String> environment, List<String> hidden, String directory, String user,
            List<Mount> mounts, String network, String hostName, boolean insecure, Optional<Script> script)
            implements Operation {

        public Run {
            arguments = List.copyOf(arguments);
            environment = List.copyOf(environment);
            hidden = List.copyOf(hidden);
            mounts = List.copyOf(mounts);
        }

        /// Whether the program is given what is its build's only, and may print it.
        public boolean maySaySecrets() {
            return !hidden.isEmpty()
                    || mounts.stream().anyMatch(mount -> mount instanceof Mount.Secret || mount instanceof Mount.Ssh);
        }
    }

    /// A here-document that is a program of its own; it is put where the first argument says.
    record Script(String path, String content) {}

    /// Copies files. Sources are cleaned paths or patterns without slash in front, or URLs when `add`.
    record Copy(boolean add, Origin from, List<String> sources, List<Inline> inline, String destination, Options options)
            implements Operation {

        public Copy {
            sources = List.copyOf(sources);
            inline = List.copyOf(inline);
        }
    }

    /// A file whose content stands in the Dockerfile.
    record Inline(String name, String content) {}

    /// How files are copied.
    record Options(Optional<String> owner, Optional<String> mode, boolean link, boolean parents, List<String> excludes,
            Optional<String> checksum, boolean keepGitDirectory, Optional<Boolean> unpack) {

        /// As things are in their source.
        public static final Options NONE = new Options(Optional.empty(), Optional.empty(), false, false, List.of(),
                Optional.empty(), false, Optional.empty());

        public Options {
            excludes = List.copyOf(excludes);
        }
    }

    /// Sees to it that a directory is there, made for `user` (as USER says) where it is missing.
    record MakeDirectory(String path, String user) implements Operation {}
}
