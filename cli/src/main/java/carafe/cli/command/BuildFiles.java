package carafe.cli.command;

import carafe.cli.build.ContextDirectory;
import carafe.cli.build.ContextRules;
import carafe.cli.build.ContextStream;
import carafe.cli.build.Pieces;
import carafe.cli.flag.Flags;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.IgnorePatterns;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Where `build` takes files from: the context (a directory, standard input, or a URL that the engine fetches), further
/// contexts by name, the Dockerfile in the context or elsewhere.
final class BuildFiles {

    private static final int LARGEST_FILE = 16 << 20;
    private static final String IGNORE = ".dockerignore";
    private static final String DOCKERFILE = "Dockerfile";
    private static final String IMAGE = "docker-image://";
    private static final String LAYOUT = "oci-layout://";
    private static final int HEAD = 512;
    private static final int MAGIC_AT = 257;

    private final Session session;
    private final Flags flags;
    private final String word;

    BuildFiles(Call call) {
        this.session = call.session();
        this.flags = call.flags();
        this.word = call.word(0);
    }

    /// What is sent: directories by name, then the context, as `content` or, where it is all, as a `directory`; the
    /// Dockerfile's path in it (or URL), and what people call it where that is none of theirs; the context's URL, `""` when
    /// it is sent; the further contexts as the build's document describes them.
    record Source(InputStream content, Optional<ContextDirectory> directory, String dockerfile, String shown, String remote,
            List<Json.Obj> named) {

        Source(InputStream content, String dockerfile, String remote) {
            this(content, Optional.empty(), dockerfile, "", remote, List.of());
        }
    }

    Source read() throws Failure, IOException, EngineException.Invalid {
        var named = new ArrayList<Json.Obj>();
        var streams = new ArrayList<InputStream>();
        for (String text : flags.list("build-context")) {
            context(text, named, streams);
        }
        var main = main();
        if (streams.isEmpty()) {
            return new Source(main.content, main.directory, main.dockerfile, main.shown, main.remote, named);
        }
        streams.add(main.directory.isPresent() ? main.directory.get().tar() : main.content);
        return new Source(new SequenceInputStream(Collections.enumeration(streams)), Optional.empty(), main.dockerfile,
                main.shown, main.remote, named);
    }

    private void context(String text, List<Json.Obj> named, List<InputStream> streams)
            throws Failure, IOException, EngineException.Invalid {
        int equals = text.indexOf('=');
        if (equals <= 0 || equals == text.length() - 1) {
            throw new Failure(1, "invalid context value: " + text + ", expected key=value");
        }
        String name = text.substring(0, equals);
        String value = text.substring(equals + 1);
        if (value.startsWith(IMAGE)) {
            named.add(context(name, "image", value.substring(IMAGE.length())));
        } else if (value.startsWith(LAYOUT)) {
            layout(name, value.substring(LAYOUT.length()), named, streams);
        } else if (remote(value)) {
            named.add(context(name, "remote", value));
        } else {
            Path root = directory(value, "failed to get build context " + name);
            named.add(context(name, "directory", ""));
            streams.add(new Pieces(new ContextStream(session.files(), root, ignored(root, DOCKERFILE), Set.of(), List.of())));
        }
    }

    private static Json.Obj context(String name, String kind, String place) {
        return Json.object().put("name", name).put("kind", kind).put("place", place).build();
    }

    /// `PATH`, `PATH:TAG` or `PATH@DIGEST`.
    private void layout(String name, String text, List<Json.Obj> named, List<InputStream> streams)
            throws Failure, IOException {
        int at = text.indexOf('@');
        int colon = text.lastIndexOf(':');
        boolean tagged = at < 0 && colon > text.lastIndexOf('/');
        String path = at >= 0 ? text.substring(0, at) : tagged ? text.substring(0, colon) : text;
        String reference = at >= 0 ? text.substring(at) : tagged ? text.substring(colon + 1) : "";
        Path root = directory(path, "failed to get build context " + name);
        named.add(context(name, "layout", reference));
        streams.add(new Pieces(new ContextStream(session.files(), root, IgnorePatterns.NONE, Set.of(), List.of())));
    }

    private Path directory(String text, String what) throws Failure {
        Path root = session.path(text).normalize();
        if (!session.files().isDirectory(root)) {
            throw new Failure(1, what + ": path \"" + text + "\" not found");
        }
        return root;
    }

    /// A directory is one whatever it is called.
    private boolean remote(String text) {
        return BuildContexts.isRemoteContext(text) && !session.files().isDirectory(session.path(text).normalize());
    }

    private Source main() throws Failure, IOException, EngineException.Invalid {
        String file = flags.text("file");
        boolean fileElsewhere = file.matches("(?i)https?://.*");
        if (word.equals("-") && file.equals("-")) {
            throw new Failure(1, "invalid argument: can't use stdin for both build context and dockerfile");
        }
        if (remote(word)) {
            if (file.equals("-")) {
                throw new Failure(1, "the Dockerfile of a remote context lies in it, or at a URL: -f " + file
                        + " reads standard input");
            }
            return new Source(InputStream.nullInputStream(), file, word);
        }
        if (word.equals("-")) {
            return standardInput(file);
        }
        Path root = directory(word, "unable to prepare context");
        var extras = new ArrayList<ContextStream.Extra>();
        String dockerfile = file.isEmpty() ? DOCKERFILE : "";
        String shown = "";
        Optional<byte[]> ignored = Optional.empty();
        if (fileElsewhere) {
            dockerfile = file;
        } else if (file.equals("-")) {
            dockerfile = BuildRequest.FROM_STDIN;
            shown = DOCKERFILE; // as buildx
            extras.add(new ContextStream.Extra(dockerfile, dockerfile(session.in())));
        } else if (!file.isEmpty()) {
            Path path = session.path(file).normalize();
            if (session.files().isDirectory(path)) {
                throw new Failure(1, "the Dockerfile " + file + " is a directory");
            }
            if (path.startsWith(root)) {
                dockerfile = root.relativize(path).toString();
            } else {
                dockerfile = BuildRequest.FROM_OUTSIDE;
                shown = String.valueOf(path.getFileName());
                extras.add(new ContextStream.Extra(dockerfile, bytes(path)));
                Path beside = path.resolveSibling(path.getFileName() + IGNORE);
                if (session.files().exists(beside)) {
                    ignored = Optional.of(bytes(beside));
                    extras.add(new ContextStream.Extra(dockerfile + IGNORE, ignored.get()));
                }
            }
        }
        if (dockerfile.equals(DOCKERFILE) && !session.files().exists(root.resolve(dockerfile))
                && session.files().exists(root.resolve("dockerfile"))) {
            dockerfile = "dockerfile";
        }
        var always = new HashSet<>(List.of(IGNORE));
        if (!fileElsewhere) {
            always.addAll(List.of(dockerfile, dockerfile + IGNORE));
        }
        var patterns = ignored.isPresent() ? IgnorePatterns.read(ignored.get())
                : ignored(root, fileElsewhere ? DOCKERFILE : dockerfile);
        var directory = new ContextDirectory(session.files(), root, new ContextRules(patterns, always), extras);
        return new Source(InputStream.nullInputStream(), Optional.of(directory), dockerfile, shown, "", List.of());
    }

    /// A tar, or just a Dockerfile.
    private Source standardInput(String file) throws IOException {
        byte[] head = session.in().readNBytes(HEAD);
        var whole = new SequenceInputStream(new ByteArrayInputStream(head), session.in());
        if (isTar(head)) {
            return new Source(whole, file, "");
        }
        return new Source(ContextStream.of(List.of(new ContextStream.Extra(DOCKERFILE, dockerfile(whole)))), file, "");
    }

    /// Begins as a tar does, plain or compressed (gzip, bzip2, xz, zstd).
    private static boolean isTar(byte[] head) {
        for (int[] magic : new int[][] {{0x1f, 0x8b}, {'B', 'Z', 'h'}, {0xfd, '7', 'z', 'X', 'Z'}, {0x28, 0xb5, 0x2f, 0xfd}}) {
            if (begins(head, 0, magic)) {
                return true;
            }
        }
        return begins(head, MAGIC_AT, new int[] {'u', 's', 't', 'a', 'r'});
    }

    private static boolean begins(byte[] head, int at, int[] magic) {
        for (int i = 0; i < magic.length; i++) {
            if (at + i >= head.length || (head[at + i] & 0xFF) != magic[i]) {
                return false;
            }
        }
        return true;
    }

    private byte[] bytes(Path path) throws IOException {
        try (var in = session.files().read(path)) {
            return whole(in, path.toString());
        }
    }

    private static byte[] dockerfile(InputStream in) throws IOException {
        return whole(in, "standard input");
    }

    private static byte[] whole(InputStream in, String name) throws IOException {
        byte[] bytes = in.readNBytes(LARGEST_FILE + 1);
        if (bytes.length > LARGEST_FILE) {
            throw new IOException("read " + name + ": larger than the " + (LARGEST_FILE >> 20) + " MiB of a Dockerfile");
        }
        return bytes;
    }

    private IgnorePatterns ignored(Path root, String dockerfile) throws IOException, EngineException.Invalid {
        for (String name : new String[] {dockerfile + IGNORE, IGNORE}) {
            if (session.files().exists(root.resolve(name))) {
                return IgnorePatterns.read(bytes(root.resolve(name)));
            }
        }
        return IgnorePatterns.NONE;
    }
}
