package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.ClientRequest;
import carafe.hub.upstream.Upstream;
import carafe.image.CommitSteps;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The hub dies before every step by which something becomes durable: as a kill leaves its files, and as a power cut does,
/// which takes all that was written and not synced (the hub's files lie on an ext4 of their own, whose disk is copied).
/// What has a name then is whole, and the same work done again succeeds.
@Timeout(300)
class DeathsTest {

    enum Death { KILL, POWER_CUT }

    private static final String CONFIG = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
    private static final String OLD = text(1, 300_000);
    private static final String NEW = text(2, 300_000);
    private static final String MORE = text(3, 5_000_000); // large enough to be synced before its manifest comes

    @TempDir
    private Path directory;

    private final TestClock clock = new TestClock();
    private final List<String> steps = new ArrayList<>();
    private final List<Path> copies = new ArrayList<>();
    private Path disk;
    private Path mount;
    private volatile boolean armed;

    private static String text(int seed, int length) {
        var text = new StringBuilder(length);
        new Random(seed).ints(length, 'a', 'z' + 1).forEach(letter -> text.append((char) letter));
        return text.toString();
    }

    @FunctionalInterface
    private interface Work {
        void on(TestHub hub, Registry registry) throws Exception;
    }

    @BeforeEach
    void makeDisk() throws Exception {
        disk = directory.resolve("disk");
        mount = Files.createDirectory(directory.resolve("mount"));
        try (var file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(64 << 20);
        }
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", disk.toString());
        mount(disk);
    }

    /// A hub that was closed may be about to end the last answer.
    @AfterEach
    void unmount() throws Exception {
        run("sh", "-c", "for i in $(seq 200); do umount \"$1\" 2>/dev/null && exit; sleep 0.05; done; umount \"$1\"", "sh",
                mount.toString());
    }

    /// Nothing is written back but what is synced: the next commit of the journal is minutes away.
    private void mount(Path from) throws Exception {
        run("mount", "-o", "loop,commit=300,noatime", from.toString(), mount.toString());
    }

    private static void run(String... words) throws IOException {
        var process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertThat(process.waitFor()).as("%s: %s", String.join(" ", words), said).isZero();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private CommitSteps dying(Death death) {
        return step -> {
            synchronized (steps) {
                if (armed) {
                    Path copy = directory.resolve("copy" + steps.size());
                    switch (death) {
                        case POWER_CUT -> run("cp", "--sparse=always", disk.toString(), copy.toString());
                        case KILL -> run("cp", "-a", mount.resolve("hub").toString(), copy.toString());
                    }
                    copies.add(copy);
                    steps.add(step);
                }
            }
        };
    }

    private TestHub hub(Path place) {
        return new TestHub(place).clock(clock);
    }

    /// Does `before`, then `work` with a death at every step of it.
    private void dieAtEveryStep(Death death, TestHub hub, Work before, Work work) throws Exception {
        try (var running = hub.steps(dying(death)).start(); var registry = Registry.of(running)) {
            before.on(running, registry);
            run("sync", "-f", mount.toString());
            armed = true;
            work.on(running, registry);
            armed = false;
        }
    }

    @FunctionalInterface
    private interface Check {
        void at(TestHub hub, Registry registry, String when) throws Exception;
    }

    private void afterEveryDeath(Death death, java.util.function.Function<Path, TestHub> made, Check check) throws Exception {
        for (int i = 0; i < copies.size(); i++) {
            String when = death + " before " + steps.get(i) + " (" + i + " of " + steps + ")";
            Path place = mount;
            if (death == Death.POWER_CUT) {
                unmount();
                mount(copies.get(i));
            } else {
                place = Files.createDirectory(directory.resolve("place" + i));
                Files.move(copies.get(i), place.resolve("hub"));
            }
            try (var hub = made.apply(place).start(); var registry = Registry.of(hub)) {
                check.at(hub, registry, when);
            }
            run("rm", "-rf", copies.get(i).toString(), directory.resolve("place" + i).toString());
        }
    }

    /// Everything that can be had by a tag is whole; the tags of `repository` with their manifests.
    private static Map<String, byte[]> whole(TestHub hub, Registry registry, String repository, String when)
            throws Exception {
        var found = new java.util.TreeMap<String, byte[]>();
        var list = registry.get("/v2/" + repository + "/tags/list");
        if (list.status() == 200) {
            for (String tag : list.json().texts("tags")) {
                var manifest = registry.get("/v2/" + repository + "/manifests/" + tag);
                assertThat(manifest.status()).as(when).isEqualTo(200);
                var parsed = Manifest.parse(manifest.body());
                var parts = new ArrayList<>(parsed.layers());
                parts.add(parsed.config());
                for (Descriptor part : parts) {
                    var blob = registry.get("/v2/" + repository + "/blobs/" + part.digest());
                    assertThat(blob.status()).as(when + ": " + part.digest()).isEqualTo(200);
                    assertThat(part.digest().matches(blob.body())).as(when).isTrue();
                }
                found.put(tag, manifest.body());
            }
        }
        assertThat(hub.hub().verify(false).faults()).as(when)
                .allMatch(fault -> fault.repositories().isEmpty()); // of what nobody names, a power cut may leave a torn file
        return found;
    }

    private static byte[] manifest(String... layers) {
        var descriptors = new ArrayList<Descriptor>();
        for (String layer : layers) {
            descriptors.add(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, layer.getBytes(StandardCharsets.UTF_8)));
        }
        return Registry.manifest(Descriptor.of(MediaTypes.OCI_CONFIG, CONFIG.getBytes(StandardCharsets.UTF_8)), descriptors);
    }

    private void passed(String... names) {
        Set<String> found = new TreeSet<>(steps);
        assertThat(found).contains(names);
    }

    @ParameterizedTest
    @EnumSource
    void aPushIsThereWholeOrNotAtAll(Death death) throws Exception {
        Work push = (_, registry) -> registry.pushImage("a", "v", CONFIG, NEW, MORE);
        dieAtEveryStep(death, hub(mount), (_, registry) -> registry.pushImage("a", "v", CONFIG, OLD), push);
        passed("create ingest", "sync blob", "rename blob", "sync blob directory", "write facts", "sync facts");
        byte[] old = manifest(OLD);
        byte[] fresh = manifest(NEW, MORE);
        var seen = new ArrayList<String>();
        afterEveryDeath(death, this::hub, (hub, registry, when) -> {
            byte[] named = whole(hub, registry, "a", when).get("v");
            assertThat(named).as(when).isNotNull().isIn(old, fresh);
            seen.add(Objects.requireNonNull(named).length == old.length ? "old" : "new");
            push.on(hub, registry);
            assertThat(whole(hub, registry, "a", when).get("v")).as(when).isEqualTo(fresh);
            assertThat(hub.hub().verify(true).faults().stream().filter(fault -> !fault.repaired())).as(when).isEmpty();
        });
        assertThat(seen).startsWith("old").hasSizeGreaterThan(12);
    }

    /// The bytes of a manifest are here already, as a blob's, which nothing made durable.
    @ParameterizedTest
    @EnumSource
    void aManifestThatCameAsABlobBeforeIsDurable(Death death) throws Exception {
        Work push = (_, registry) -> {
            registry.pushBlob("a", manifest(NEW));
            registry.pushImage("a", "v", CONFIG, NEW);
            registry.pushBlob("a", MORE.getBytes(StandardCharsets.UTF_8)); // a step after the answer
        };
        dieAtEveryStep(death, hub(mount), (_, registry) -> registry.pushImage("a", "v", CONFIG, OLD), push);
        var seen = new ArrayList<Boolean>();
        afterEveryDeath(death, this::hub, (hub, registry, when) -> {
            byte[] named = whole(hub, registry, "a", when).get("v");
            assertThat(named).as(when).isNotNull().isIn(manifest(OLD), manifest(NEW));
            seen.add(java.util.Arrays.equals(named, manifest(NEW)));
        });
        assertThat(seen).startsWith(false).endsWith(true);
    }

    /// The same bytes come to a second repository, while the first has an image of them.
    @ParameterizedTest
    @EnumSource
    void aSecondPushOfTheSameBytesLeavesTheFirstImageWhole(Death death) throws Exception {
        Work push = (_, registry) -> registry.pushImage("b", "v", CONFIG, OLD);
        dieAtEveryStep(death, hub(mount), (_, registry) -> registry.pushImage("a", "v", CONFIG, OLD), push);
        passed("rename blob", "sync facts directory");
        afterEveryDeath(death, this::hub, (hub, registry, when) -> {
            assertThat(whole(hub, registry, "a", when).get("v")).as(when).isEqualTo(manifest(OLD));
            whole(hub, registry, "b", when);
            push.on(hub, registry);
            assertThat(whole(hub, registry, "b", when).get("v")).as(when).isEqualTo(manifest(OLD));
        });
    }

    @ParameterizedTest
    @EnumSource
    void anUploadInPiecesIsThereWholeOrNotAtAll(Death death) throws Exception {
        byte[] layer = NEW.getBytes(StandardCharsets.UTF_8);
        Work push = (_, registry) -> {
            String place = registry.post("/v2/a/blobs/uploads/").header("Location");
            registry.patch(place, java.util.Arrays.copyOf(layer, 100_000), "0-99999");
            registry.patch(place, java.util.Arrays.copyOfRange(layer, 100_000, layer.length), "");
            assertThat(registry.put(place + "?digest=" + Digest.sha256(layer), new byte[0]).status()).isEqualTo(201);
            registry.pushBlob("a", CONFIG.getBytes(StandardCharsets.UTF_8));
            assertThat(registry.pushManifest("a", "w", MediaTypes.OCI_MANIFEST, manifest(NEW)).status()).isEqualTo(201);
        };
        dieAtEveryStep(death, hub(mount), (_, registry) -> registry.pushImage("a", "v", CONFIG, OLD), push);
        afterEveryDeath(death, this::hub, (hub, registry, when) -> {
            var tags = whole(hub, registry, "a", when);
            assertThat(tags.get("v")).as(when).isEqualTo(manifest(OLD));
            push.on(hub, registry);
            assertThat(whole(hub, registry, "a", when).get("w")).as(when).isEqualTo(manifest(NEW));
        });
    }

    @ParameterizedTest
    @EnumSource
    void aDeletionAndItsCollectionLeaveTheImageWholeOrNoName(Death death) throws Exception {
        Work remove = (hub, registry) -> {
            if (registry.get("/v2/a/manifests/w").status() == 200) {
                registry.delete("/v2/a/manifests/" + Digest.sha256(manifest(NEW)));
            }
            clock.advance(Duration.ofHours(2));
            hub.hub().collect();
        };
        dieAtEveryStep(death, hub(mount), (_, registry) -> {
            registry.pushImage("a", "v", CONFIG, OLD);
            registry.pushImage("a", "w", CONFIG, NEW);
        }, remove);
        passed("delete blob", "write facts", "sync facts");
        var seen = new TreeSet<Boolean>();
        afterEveryDeath(death, this::hub, (hub, registry, when) -> {
            var tags = whole(hub, registry, "a", when);
            assertThat(tags.get("v")).as(when).isEqualTo(manifest(OLD));
            seen.add(tags.containsKey("w"));
            remove.on(hub, registry);
            assertThat(whole(hub, registry, "a", when)).as(when).containsOnlyKeys("v");
            assertThat(hub.hub().verify(false).blobs()).as(when).isEqualTo(3);
            registry.pushImage("a", "w", CONFIG, NEW);
            assertThat(whole(hub, registry, "a", when)).as(when).containsOnlyKeys("v", "w");
        });
        assertThat(seen).containsExactly(false, true);
    }

    /// The journal of a repository is written anew when most of its lines no longer count.
    @ParameterizedTest
    @EnumSource
    void factsThatAreWrittenAnewAreTheOldOnesOrTheNew(Death death) throws Exception {
        byte[] manifest = manifest(OLD);
        dieAtEveryStep(death, hub(mount), (_, registry) -> {
            registry.pushImage("a", "v", CONFIG, OLD);
            for (int i = 0; i < 498; i++) {
                registry.pushManifest("a", "w", MediaTypes.OCI_MANIFEST, manifest);
                registry.delete("/v2/a/manifests/w");
            }
        }, (_, registry) -> {
            registry.pushManifest("a", "w", MediaTypes.OCI_MANIFEST, manifest);
            registry.delete("/v2/a/manifests/w");
        });
        passed("write facts anew", "sync new facts", "rename facts");
        afterEveryDeath(death, this::hub, (hub, registry, when) -> {
            assertThat(whole(hub, registry, "a", when).get("v")).as(when).isEqualTo(manifest);
            registry.pushManifest("a", "x", MediaTypes.OCI_MANIFEST, manifest);
            assertThat(whole(hub, registry, "a", when)).as(when).containsKeys("v", "x");
        });
    }

    /// Who holds an image that a cache of it takes over.
    private static final Upstream FAR = new Upstream() {
        @Override
        public Optional<Digest> resolve(String repository, String tag) {
            return Optional.of(Digest.sha256(DeathsTest.manifest(NEW)));
        }

        @Override
        public Optional<Found> manifest(String repository, String reference) {
            return Optional.of(new Found(DeathsTest.manifest(NEW), MediaTypes.OCI_MANIFEST));
        }

        @Override
        public InputStream blob(String repository, Descriptor blob) {
            byte[] config = CONFIG.getBytes(StandardCharsets.UTF_8);
            return new ByteArrayInputStream(blob.digest().matches(config) ? config : NEW.getBytes(StandardCharsets.UTF_8));
        }
    };

    @ParameterizedTest
    @EnumSource
    void whatACacheTakesOverIsWholeOrComesAgain(Death death) throws Exception {
        var hubs = (java.util.function.Function<Path, TestHub>) place -> {
            try {
                return hub(place).upstreams(_ -> FAR).with("upstreams", "[{\"registry\":\"far.example\",\"fresh\":\"10m\"}]");
            } catch (carafe.spec.EngineException.Invalid e) {
                throw new AssertionError(e);
            }
        };
        Digest layer = Digest.sha256(NEW.getBytes(StandardCharsets.UTF_8));
        Work pull = (_, registry) -> {
            assertThat(registry.get("/v2/far.example/app/manifests/v").status()).isEqualTo(200);
            assertThat(registry.send(ClientRequest.get("/v2/far.example/app/blobs/" + layer)).text()).isEqualTo(NEW);
        };
        dieAtEveryStep(death, hubs.apply(mount), (_, registry) -> registry.pushImage("a", "v", CONFIG, OLD), pull);
        passed("create ingest", "sync blob", "rename blob", "sync blob directory", "write facts", "sync facts");
        afterEveryDeath(death, hubs, (hub, registry, when) -> {
            whole(hub, registry, "a", when);
            pull.on(hub, registry);
            assertThat(whole(hub, registry, "far.example/app", when).get("v")).as(when).isEqualTo(manifest(NEW));
        });
    }

    /// What is damaged is set aside; the death in the middle leaves it damaged or absent.
    @ParameterizedTest
    @EnumSource
    void aRepairLeavesWhatIsSound(Death death) throws Exception {
        dieAtEveryStep(death, hub(mount), (_, registry) -> {
            registry.pushImage("a", "v", CONFIG, OLD);
            registry.pushImage("b", "v", CONFIG, NEW);
            Damage.flip(mount, Digest.sha256(NEW.getBytes(StandardCharsets.UTF_8)));
        }, (hub, registry) -> {
            hub.hub().verify(true);
            registry.pushBlob("b", NEW.getBytes(StandardCharsets.UTF_8));
        });
        passed("set blob aside", "sync blob");
        afterEveryDeath(death, this::hub, (hub, registry, when) -> {
            hub.hub().verify(true);
            registry.pushBlob("b", NEW.getBytes(StandardCharsets.UTF_8));
            assertThat(whole(hub, registry, "a", when)).containsOnlyKeys("v");
            assertThat(whole(hub, registry, "b", when)).containsOnlyKeys("v");
        });
    }
}
