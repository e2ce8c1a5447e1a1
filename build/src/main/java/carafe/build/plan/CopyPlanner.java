package carafe.build.plan;

import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Finding;
import carafe.build.dockerfile.Rule;
import carafe.build.dockerfile.Step;
import carafe.build.dockerfile.Transfer;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.build.PathPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// Plans COPY and ADD.
final class CopyPlanner {

    private static final Pattern MODE =
            Pattern.compile("0*[0-7]{1,4}|[ugoa]*([-+=][rwxXstugo]*)+(,[ugoa]*([-+=][rwxXstugo]*)+)*");

    private final StagePlanner stage;
    private final Step step;
    private final List<String> written = new ArrayList<>();

    CopyPlanner(StagePlanner stage, Step step) {
        this.stage = stage;
        this.step = step;
    }

    Operation.Copy plan(Transfer transfer, boolean add) throws DockerfileException, EngineException {
        Origin from = new Origin.Context();
        if (transfer.options().from().isPresent()) {
            String name = stage.expand(transfer.options().from().get(), step);
            from = stage.planner().source(name, stage.index(), step.span());
            if (from instanceof Origin.OfStage(int index)) {
                stage.planner().plan(index);
            }
        }
        var sources = new ArrayList<String>();
        for (String text : transfer.sources()) {
            String source = stage.expand(text, step);
            if (source.isEmpty()) {
                throw new DockerfileException(step.span(), "the source " + text + " is empty");
            }
            written.add(source);
            boolean remote = add && BuildContexts.isRemote(source);
            sources.add(remote ? source : local(source, transfer.options().parents()));
            if (!remote) {
                ignored(source, from);
            }
        }
        var inline = new ArrayList<Operation.Inline>();
        for (var heredoc : transfer.inline()) {
            String content = heredoc.expand() ? stage.expandContent(heredoc.content(), step) : heredoc.content();
            inline.add(new Operation.Inline(heredoc.name(), content));
        }
        String destination = destination(transfer.destination());
        boolean several = sources.size() + inline.size() > 1;
        if (several && !destination.endsWith("/")) {
            throw new DockerfileException(step.span(), "When using " + (add ? "ADD" : "COPY") + " with more than one "
                    + "source file, the destination must be a directory and end with a /");
        }
        if (transfer.options().checksum().isPresent() && !(add && sources.stream().allMatch(BuildContexts::isRemote))) {
            throw new DockerfileException(step.span(), "checksum can't be specified for non-HTTP(S) and non-Git sources:"
                    + " what the context holds is not checked; leave --checksum out");
        }
        return new Operation.Copy(add, from, sources, inline, destination, options(transfer.options()));
    }

    private Operation.Options options(Transfer.Options options) throws DockerfileException {
        var excludes = new ArrayList<String>();
        for (String exclude : options.excludes()) {
            excludes.add(stage.expand(exclude, step));
        }
        var mode = expanded(options.chmod());
        if (mode.isPresent() && !MODE.matcher(mode.get()).matches()) {
            throw new DockerfileException(step.span(), "invalid chmod parameter: '" + mode.get()
                    + "'. it should be octal string and between 0 and 07777, or like u=rwX,go=rX or g=u");
        }
        var checksum = expanded(options.checksum());
        if (checksum.isPresent() && !checksum.get().matches("sha256:[0-9a-f]{64}|[0-9a-f]{1,64}")) {
            throw new DockerfileException(step.span(), "invalid checksum \"" + checksum.get()
                    + "\": sha256: and 64 hexadecimal characters, or a commit, are wanted");
        }
        return new Operation.Options(expanded(options.chown()), mode, options.link(), options.parents(), excludes,
                checksum, options.keepGitDir(), options.unpack());
    }

    private Optional<String> expanded(Optional<String> text) throws DockerfileException {
        return text.isEmpty() ? text : Optional.of(stage.expand(text.get(), step));
    }

    /// Without slash in front and without `..`: a source cannot leave where it comes from. `.` in the middle is kept
    /// for --parents, where it says from where on parents are kept.
    private static String local(String source, boolean parents) {
        String path = source.endsWith("/") || source.endsWith("/.") ? IgnorePatterns.clean(source) + "/"
                : IgnorePatterns.clean(source);
        int pivot = parents ? source.indexOf("/./") : -1;
        if (pivot >= 0) {
            String before = IgnorePatterns.clean(source.substring(0, pivot));
            return (before.isEmpty() ? "." : before) + "/./" + IgnorePatterns.clean(source.substring(pivot + 3));
        }
        return path.equals("/") ? "" : path;
    }

    private String destination(String written) throws DockerfileException {
        String path = stage.expand(written, step);
        boolean directory = path.endsWith("/") || path.endsWith("/.") || path.equals(".") || path.equals("..")
                || path.endsWith("/..");
        String whole = stage.directory(path);
        return directory && !whole.endsWith("/") ? whole + "/" : whole;
    }

    private void ignored(String source, Origin from) {
        if (from instanceof Origin.Context && !PathPattern.isPattern(source)) {
            String path = IgnorePatterns.clean(source);
            var patterns = stage.planner().ignored();
            if (!path.isEmpty() && patterns.matches(path) && !patterns.hasExceptions()) {
                String keyword = step.text().startsWith("ADD") ? "ADD" : "COPY";
                stage.planner().found(new Finding(Rule.COPY_IGNORED_FILE, "Attempting to " + keyword + " file \"" + path
                        + "\" that is excluded by .dockerignore", step.span(), "!" + path + " in .dockerignore"));
            }
        }
    }

    /// How history tells it: with variables substituted, the flags as written.
    String history(Operation.Copy copy) {
        var words = new ArrayList<String>();
        words.add(copy.add() ? "ADD" : "COPY");
        for (String word : step.text().split("\\s+")) {
            if (word.startsWith("--")) {
                words.add(word);
            }
        }
        words.addAll(written);
        copy.inline().forEach(inline -> words.add("<<" + inline.name()));
        words.add(copy.destination());
        return String.join(" ", words) + " # buildkit";
    }
}
