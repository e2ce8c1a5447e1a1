package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.plan.BaseImages;
import carafe.build.tree.TarText;
import carafe.image.ImageUsers;
import carafe.image.Images;
import carafe.image.LoadProgress;
import carafe.image.TestImage;
import carafe.image.TestTar;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Images that somebody removes while a build is looking for what it begins with.
class RemovedBasesTest extends BuilderScene {

    private static final Map<String, String> FILES = Map.of("one:1", "first", "two:1", "second", "three:1", "third");

    private void load(String name) throws EngineException {
        String text = FILES.getOrDefault(name, "");
        images.load(TestImage.of(name, new TestTar().add(TestTar.file(text, text)).bytes()).stream(), LoadProgress.SILENT);
    }

    private List<Digest> built(String dockerfile, BaseImages bases) throws Exception {
        var outcome = builder.build(request(), bases, new TarText().file("Dockerfile", dockerfile).stream(), _ -> { });
        var image = images.byId(Digest.parse(outcome.imageId().orElseThrow())).orElseThrow();
        images.snapshots().files(image).close(); // every layer is there
        return image.config().diffIds();
    }

    @Test
    void oneThatIsRemovedWhileAnotherIsFetchedIsStillBuiltOn() throws Exception {
        String dockerfile = "FROM one:1\nCOPY --from=two:1 /second /\nCOPY --from=three:1 /third /\n";
        for (String name : FILES.keySet()) {
            load(name);
        }
        var usual = built(dockerfile, this::base);
        images.remove(images.list().getFirst().id().toString(), true, ImageUsers.NONE);
        for (String name : FILES.keySet()) {
            load(name);
        }
        var made = built("# syntax=docker/dockerfile:1\n" + dockerfile, (reference, platform) -> {
            if (reference.startsWith("three")) {
                images.remove("one:1", true, ImageUsers.NONE);
                images.remove("two:1", true, ImageUsers.NONE);
            }
            return base(reference, platform);
        });
        assertThat(made).isEqualTo(usual);
        assertThatThrownBy(() -> images.find("one:1")).isInstanceOf(EngineException.NotFound.class);
    }

    @Test
    void oneThatIsRemovedJustAsItIsFoundIsLookedForAnew() throws Exception {
        var asked = new AtomicInteger();
        load("one:1");
        var made = built("FROM one:1\n", (reference, platform) -> {
            if (asked.getAndIncrement() == 0) {
                var found = base(reference, platform);
                images.remove("one:1", true, ImageUsers.NONE);
                return found;
            }
            load("one:1"); // as a pull does
            return base(reference, platform);
        });
        assertThat(asked).hasValue(2);
        assertThat(made).hasSize(1);
    }

    @Test
    void oneThatSomebodyKeepsRemovingIsNotThere() {
        assertThatThrownBy(() -> built("FROM one:1\n", (reference, platform) -> {
            load(reference);
            var found = base(reference, platform);
            images.remove("one:1", true, ImageUsers.NONE);
            return found;
        })).isInstanceOf(EngineException.NotFound.class).hasMessageStartingWith("No such image: one:1");
    }
}
