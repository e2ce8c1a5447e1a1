package carafe.build.source;

import carafe.build.cache.CacheImage;
import carafe.build.plan.BaseImages;
import carafe.build.tree.Closing;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.Node;
import carafe.build.tree.Scratch;
import carafe.image.Images;
import carafe.image.TarArchive;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheImport;
import carafe.spec.build.GitAddress;
import carafe.spec.oci.Platform;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The contexts of one build: the context itself, and further ones by name, as directories or as images.
public final class Contexts implements AutoCloseable {

    private static final int HEAD_BYTES = 512;
    private static final int MAX_DOCKERFILE_BYTES = 8 << 20;
    private static final long MAX_FILE_BYTES = 16L << 30;
    private static final String LAYOUT = "oci-layout://";
    private static final String KEEP_GIT = "BUILDKIT_CONTEXT_KEEP_GIT_DIR";

    private final Remotes remotes;
    private final Remotes.Proof proof;
    private final Scratch scratch;
    private final Map<String, ContextArchive> directories = new HashMap<>();
    private final Map<String, String> images = new HashMap<>();
    private final Map<String, ImageLayout> layouts = new HashMap<>();
    private Optional<ContextArchive> main = Optional.empty();

    private final ContextMemory memory;

    private Contexts(Remotes remotes, Remotes.Proof proof, Place place) {
        this.remotes = remotes;
        this.proof = proof;
        this.scratch = place.scratch;
        this.memory = place.memory;
    }

    /// Where contexts lie while they are used, and what remembers them.
    public record Place(Scratch scratch, ContextMemory memory) {}

    /// Reads and fetches all contexts of `request`: from `body` the tars of directories that were sent, each in pieces
    /// of a length (four bytes) and as many bytes, ended by one of length 0; then the tar of the context to the end, or
    /// nothing if it is one that is fetched, or as [ListedContext] says if it is listed. The body is at its end before
    /// anything is fetched. Of repositories `.git` is kept if the address, or else the build argument
    /// BUILDKIT_CONTEXT_KEEP_GIT_DIR, says so.
    public static Contexts read(BuildRequest request, InputStream body, Remotes remotes, Images images, Place place)
            throws IOException, EngineException, InterruptedException {
        var proof = new Remotes.Proof(request.running().secrets(), request.running().agents());
        var contexts = new Contexts(remotes, proof, place);
        boolean whole = false;
        try {
            boolean keepGit = request.arguments().getOrDefault(KEEP_GIT, "").matches("1|t|T|true|True|TRUE");
            contexts.read(request.contexts(), keepGit, body, images);
            whole = true;
            return contexts;
        } finally {
            if (!whole) {
                contexts.close();
            }
        }
    }

    private void read(BuildContexts asked, boolean keepGit, InputStream body, Images images)
            throws IOException, EngineException, InterruptedException {
        for (String name : asked.sent()) {
            var place = asked.named().get(name);
            try (var tar = new PieceStream(body)) {
                var directory = ContextArchive.read(tar, scratch);
                directories.put(name, directory);
                if (place instanceof BuildContexts.Layout(var reference)) {
                    layouts.put(name, ImageLayout.open(name, directory, reference, images));
                    directories.remove(name); // it is the layout's now
                    this.images.put(name, LAYOUT + name);
                }
            }
        }
        for (var context : asked.named().entrySet()) {
            switch (context.getValue()) {
                case BuildContexts.Directory _, BuildContexts.Layout _ -> {
                    if (!asked.sent().contains(context.getKey())) {
                        throw new EngineException.Invalid("the context " + context.getKey() + " was not sent with the build");
                    }
                }
                case BuildContexts.Image(var reference) -> this.images.put(context.getKey(), reference);
                case BuildContexts.Remote _ -> { }
            }
        }
        if (asked.remote().isEmpty() && asked.listing().isPresent()) {
            main = Optional.of(ListedContext.read(asked.listing().get(), body, scratch, memory));
        } else if (asked.remote().isEmpty()) {
            main = Optional.of(ContextArchive.read(body, scratch));
        } else if (body.read() >= 0) {
            throw new EngineException.Invalid("the context lies at " + asked.remote() + ", yet one was sent, too: "
                    + "send none, or name no place");
        }
        fetch(asked, keepGit);
    }

    /// Fetches only when the body was read to its end: before that nobody learns that the client went away.
    private void fetch(BuildContexts asked, boolean keepGit) throws IOException, EngineException, InterruptedException {
        for (var context : asked.named().entrySet()) {
            if (context.getValue() instanceof BuildContexts.Remote(var url)) {
                directories.put(context.getKey(), fetched(url, false, keepGit));
            }
        }
        if (!asked.remote().isEmpty()) {
            main = Optional.of(fetched(asked.remote(), true, keepGit));
        }
    }

    /// A repository's files, an archive's, or a context that has just the one file: a Dockerfile if it is the main one.
    private ContextArchive fetched(String url, boolean dockerfile, boolean keepGit)
            throws IOException, EngineException, InterruptedException {
        var address = GitAddress.parse(url);
        return address.isPresent() ? repository(address.get(), keepGit) : file(url, dockerfile);
    }

    private ContextArchive repository(GitAddress address, boolean keepGit)
            throws IOException, EngineException, InterruptedException {
        String commit = commit(remotes, address, address.checksum(), proof);
        var archive = ContextArchive.empty(scratch);
        boolean whole = false;
        try {
            remotes.checkout(address, commit, address.keepGit().orElse(keepGit), proof, new Checkout(archive));
            if (!address.directory().isEmpty()) {
                archive.narrow(address.directory());
            }
            whole = true;
            return archive;
        } finally {
            if (!whole) {
                archive.close();
            }
        }
    }

    /// The commit that `address` means, which is checked.
    public static String commit(Remotes remotes, GitAddress address, Optional<String> checksum, Remotes.Proof proof)
            throws EngineException, InterruptedException {
        String commit = address.isCommit() ? address.ref() : remotes.commit(address, proof);
        if (checksum.isPresent() && !commit.startsWith(checksum.get())) {
            throw new EngineException.Invalid(address + " is the commit " + commit + ", not " + checksum.get()
                    + " as its checksum says");
        }
        return commit;
    }

    private ContextArchive file(String url, boolean dockerfile) throws IOException, EngineException, InterruptedException {
        try (var file = remotes.file(url, Optional.empty(), proof)) {
            byte[] head = file.body().readNBytes(HEAD_BYTES);
            var whole = new SequenceInputStream(new ByteArrayInputStream(head), file.body());
            if (TarArchive.begins(head)) {
                return ContextArchive.read(whole, scratch);
            }
            var archive = ContextArchive.empty(scratch);
            boolean added = false;
            try {
                String name = dockerfile ? "Dockerfile" : url.replaceFirst("[?#].*", "").replaceFirst("^.*/", "");
                archive.add(name.isEmpty() ? "file" : name, 0600, new Node.Time(0, 0), whole,
                        dockerfile ? MAX_DOCKERFILE_BYTES : MAX_FILE_BYTES);
                added = true;
                return archive;
            } finally {
                if (!added) {
                    archive.close();
                }
            }
        }
    }

    /// The bytes of a Dockerfile in the web.
    public byte[] dockerfile(String url, int limitBytes) throws IOException, EngineException, InterruptedException {
        try (var file = remotes.file(url, Optional.empty(), proof)) {
            byte[] bytes = file.body().readNBytes(limitBytes + 1);
            if (bytes.length > limitBytes) {
                throw new EngineException.Invalid(url + " is longer than " + limitBytes + " bytes");
            }
            return bytes;
        }
    }

    /// The context itself.
    public ContextArchive main() {
        return main.orElseThrow();
    }

    /// The directories by name, in small letters.
    public Map<String, ContextArchive> directories() {
        return directories;
    }

    /// References of images by name, in small letters; [#bases] knows them.
    public Map<String, String> images() {
        return images;
    }

    /// The images that this build begins with or copies from: those of the layouts that were sent, else what `others` finds.
    public BaseImages bases(BaseImages others) {
        return new Bases(layouts, others);
    }

    private record Bases(Map<String, ImageLayout> layouts, BaseImages others) implements BaseImages {

        @Override
        public BaseImage find(String reference, Platform platform) throws EngineException {
            var layout = layout(reference);
            return layout.isPresent() ? layout.get().find(platform) : others.find(reference, platform);
        }

        @Override
        public BaseImage refresh(String reference, Platform platform) throws EngineException {
            var layout = layout(reference);
            return layout.isPresent() ? layout.get().find(platform) : others.refresh(reference, platform);
        }

        @Override
        public List<CacheImage> cache(CacheImport asked, List<Platform> platforms)
                throws EngineException, InterruptedException {
            return others.cache(asked, platforms);
        }

        private Optional<ImageLayout> layout(String reference) {
            return reference.startsWith(LAYOUT) ? Optional.ofNullable(layouts.get(reference.substring(LAYOUT.length())))
                    : Optional.empty();
        }
    }

    /// What fetches for this build.
    public Remotes remotes() {
        return remotes;
    }

    /// What this build shows to prove who asks.
    public Remotes.Proof proof() {
        return proof;
    }

    @Override
    public void close() throws IOException {
        var opened = new ArrayList<Closeable>();
        directories.values().forEach(archive -> opened.add(archive::close));
        layouts.values().forEach(layout -> opened.add(layout::close));
        main.ifPresent(archive -> opened.add(archive::close));
        Closing.all(opened);
    }
}
