package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.build.plan.BaseImages;
import carafe.build.step.StepRunner;
import carafe.build.step.WrongFormat;
import carafe.build.tree.FileSource;
import carafe.build.tree.IndexMemory;
import carafe.build.tree.MountedTree;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildRequest;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What tests that build images begin with: a real image store, and a builder on it whose programs, remotes and clock are the
/// test's. The kernel's handlers are read in `handlers`, where a test may write some. At the end nothing is left of any build.
abstract class BuilderScene {

    @TempDir
    Path directory;

    final PlayedRemotes remotes = new PlayedRemotes();
    /// What the last build told that had no listener of its own.
    final List<BuildEvent> events = new CopyOnWriteArrayList<>();
    Images images;
    Builder builder;
    /// What contexts and steps share; another one is for the next builder.
    IndexMemory memory = IndexMemory.ofHeap();

    /// Opens the store and the builder, where those before are closed.
    @BeforeEach
    void open() throws Exception {
        images = Images.open(directory.resolve("state"));
        reopen("build");
    }

    /// Opens a builder that keeps its things in a directory of this name, where the one before is closed. The first one's is
    /// `build`.
    final void reopen(String name) throws EngineException {
        builder = Builder.open(new Builder.Places(directory.resolve(name), directory.resolve("secrets"),
                directory.resolve("handlers")), new Builder.Parts(images, this::play, remotes, clock()), memory);
    }

    /// Closes both; nothing of a build is left then.
    @AfterEach
    void close() throws Exception {
        builder.close();
        assertThat(images.snapshots().list()).isEmpty();
        assertThat(directory.resolve("build/scratch")).isEmptyDirectory();
        assertThat(directory.resolve("secrets")).isEmptyDirectory();
        assertThat(memory.heldBytes()).isZero();
        images.close();
    }

    /// Plays a program of RUN. Where a test has none, each fails.
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException, InterruptedException, WrongFormat {
        return 1;
    }

    /// What the builder reads the time from.
    Clock clock() {
        return Clock.systemUTC();
    }

    /// Finds what stages begin with among the images.
    final BaseImages.BaseImage base(String reference, Platform platform) throws EngineException {
        var image = images.find(reference, platform);
        return new BaseImages.BaseImage(image.id(), image.config());
    }

    /// A request for an image with these names, and nothing special.
    static BuildRequest request(String... tags) {
        return BuildRequest.of(List.of(tags));
    }

    /// Builds from this Dockerfile, which becomes the last file of `context`, and tells `listener`.
    final Digest build(String dockerfile, TarText context, BuildRequest request, BuildListener listener)
            throws EngineException, InterruptedException {
        var outcome = builder.build(request, this::base, context.file("Dockerfile", dockerfile).stream(), listener);
        return Digest.parse(outcome.imageId().orElseThrow());
    }

    /// The same; `events` has what was told.
    final Digest build(String dockerfile, TarText context, BuildRequest request) throws EngineException, InterruptedException {
        events.clear();
        return build(dockerfile, context, request, events::add);
    }

    /// The same with nothing special and no name.
    final Digest build(String dockerfile, TarText context) throws EngineException, InterruptedException {
        return build(dockerfile, context, request());
    }

    /// Begins a build from this Dockerfile alone, on a thread of its own.
    final CompletableFuture<Digest> begin(String dockerfile, BuildRequest request, BuildListener listener) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return build(dockerfile, new TarText(), request, listener);
            } catch (EngineException | InterruptedException e) {
                throw new CompletionException(e);
            }
        });
    }

    /// How many steps of the last build were found, not made.
    final long cachedSteps() {
        return events.stream().filter(event -> event instanceof BuildEvent.Done(var _, var cached, var _) && cached).count();
    }

    /// The files of an image, mounted; who asks closes them.
    final MountedTree files(Digest image) throws Exception {
        var plan = images.snapshots().prepareView("look", images.byId(image).orElseThrow());
        try {
            return RootView.readOnly(plan);
        } finally {
            images.snapshots().remove("look");
        }
    }

    /// What a file has, which is no symbolic link.
    static String text(FileSource tree, String path) throws IOException {
        try (var in = tree.open(tree.find(path).orElseThrow())) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
