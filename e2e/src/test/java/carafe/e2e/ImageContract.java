package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Images: loading them, and asking for one that is not there.
@Tag("images")
abstract class ImageContract extends Contract {

    ImageContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void loadNamesTheImage() throws Exception {
        var archive = engine().directory().resolve("busybox-docker.tar");
        assertThat(docker("load", "-i", archive.toString()).text()).isEqualTo("Loaded image: busybox:latest");
    }

    @Test
    void loadReadsStandardInput() throws Exception {
        var archive = engine().directory().resolve("busybox-docker.tar");
        var loaded = command("load").stdin(Files.readAllBytes(archive)).run().good();
        assertThat(loaded.text()).isEqualTo("Loaded image: busybox:latest");
    }

    @Test
    void loadRefusesWhatIsNoImage() throws Exception {
        var archive = Files.writeString(engine().directory().resolve("garbage.tar"), "garbage ".repeat(200));
        var refused = failing(1, "load", "-i", archive.toString());
        assertThat(refused.err()).isNotBlank();
        assertThat(refused.out()).doesNotContain("Loaded image");
    }

    @Test
    void loadRefusesATruncatedArchive() throws Exception {
        byte[] whole = Files.readAllBytes(engine().directory().resolve("busybox-docker.tar"));
        byte[] half = java.util.Arrays.copyOf(whole, whole.length / 2);
        var refused = command("load").stdin(half).run().endedWith(1);
        assertThat(refused.out()).doesNotContain("Loaded image");
        docker("run", "--rm", IMAGE, "true");
    }

    @Test
    void anUnknownImageIsNamed() throws Exception {
        var refused = failing(1, "create", "--pull", "never", "nosuchimage:1");
        assertThat(refused.err()).contains("No such image: nosuchimage:1");
    }

    @Test
    void runOfAnUnknownImageIsOurFailure() throws Exception {
        var refused = failing(125, "run", "--rm", "--pull", "never", "nosuchimage");
        assertThat(refused.err()).contains("No such image: nosuchimage:latest");
    }

    @Test
    void theTagMayBeLeftOutOrWritten() throws Exception {
        assertThat(docker("run", "--rm", "busybox:latest", "echo", "a").text()).isEqualTo("a");
        assertThat(docker("run", "--rm", "docker.io/library/busybox", "echo", "b").text()).isEqualTo("b");
    }

    @Test
    void anImageIsFoundByItsId() throws Exception {
        String id = background("named", "true").strip();
        String image = inspect(id, "{{.Image}}");
        assertThat(image).matches("sha256:[0-9a-f]{64}");
        assertThat(docker("run", "--rm", image, "echo", "c").text()).isEqualTo("c");
        assertThat(docker("run", "--rm", image.substring(7, 19), "echo", "d").text()).isEqualTo("d");
    }

    @Test
    void savedImagesKeepTheirIdWhenTheyAreLoaded() throws Exception {
        String id = docker("image", "inspect", "-f", "{{.Id}}", IMAGE).text();
        var archive = engine().directory().resolve("saved.tar");
        docker("save", "-o", archive.toString(), IMAGE);
        docker("tag", IMAGE, "kept:1");
        docker("rmi", IMAGE + ":latest");
        assertThat(docker("load", "-i", archive.toString()).text()).isEqualTo("Loaded image: busybox:latest");
        assertThat(docker("image", "inspect", "-f", "{{.Id}}", IMAGE).text()).isEqualTo(id);
        docker("rmi", "kept:1");
        assertThat(docker("run", "--rm", IMAGE, "echo", "works").text()).isEqualTo("works");
        Files.delete(archive);
    }

    @Test
    void aCommittedContainerIsAnImage() throws Exception {
        String id = docker("create", IMAGE, "sh", "-c", "echo kept > /kept; rm /bin/awk").text();
        docker("start", "-a", id);
        String image = docker("commit", "-m", "why", "-c", "ENV COLOUR=blue", "-c", "CMD [\"cat\", \"/kept\"]", id,
                "committed:1").text();
        assertThat(image).matches("sha256:[0-9a-f]{64}");
        assertThat(docker("run", "--rm", "committed:1").text()).isEqualTo("kept");
        assertThat(docker("run", "--rm", "committed:1", "sh", "-c", "echo $COLOUR; ls /bin/awk || true").text())
                .isEqualTo("blue");
        assertThat(docker("history", "--format", "{{.Comment}}", "committed:1").lines()).startsWith("why");
        docker("rm", id);
        docker("rmi", "committed:1");
    }

    @Test
    void anExportedContainerIsImported() throws Exception {
        String id = docker("create", IMAGE, "sh", "-c", "echo kept > /kept").text();
        docker("start", "-a", id);
        var archive = engine().directory().resolve("exported.tar");
        docker("export", "-o", archive.toString(), id);
        String image = docker("import", "-c", "CMD [\"cat\", \"/kept\"]", archive.toString(), "imported:1").text();
        assertThat(image).matches("sha256:[0-9a-f]{64}");
        assertThat(docker("run", "--rm", "imported:1").text()).isEqualTo("kept");
        docker("rm", id);
        docker("rmi", "imported:1");
        Files.delete(archive);
    }

    @Test
    void archivesMayBeCompressedByBzip2OrXz() throws Exception {
        var archive = engine().directory().resolve("busybox-docker.tar");
        String id = docker("create", IMAGE, "true").text();
        var exported = engine().directory().resolve("exported.tar");
        docker("export", "-o", exported.toString(), id);
        docker("rm", id);
        for (var packed : List.of(Compressing.bzip2(archive), Compressing.xz(archive))) {
            assertThat(docker("load", "-i", packed.toString()).text()).isEqualTo("Loaded image: busybox:latest");
            Files.delete(packed);
        }
        for (var packed : List.of(Compressing.bzip2(exported), Compressing.xz(exported))) {
            docker("import", packed.toString(), "imported:1");
            assertThat(docker("run", "--rm", "imported:1", "echo", "unpacked").text()).isEqualTo("unpacked");
            docker("rmi", "imported:1");
            Files.delete(packed);
        }
        Files.delete(exported);
    }

    @Test
    void anArchiveIsImportedFromTheWeb() throws Exception {
        String id = docker("create", IMAGE, "true").text();
        var archive = engine().directory().resolve("exported.tar");
        docker("export", "-o", archive.toString(), id);
        docker("rm", id);
        var web = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        web.createContext("/root.tar", exchange -> {
            exchange.sendResponseHeaders(200, Files.size(archive));
            try (var out = exchange.getResponseBody()) {
                Files.copy(archive, out);
            }
        });
        web.start();
        try {
            String url = "http://127.0.0.1:" + web.getAddress().getPort();
            assertThat(docker("import", url + "/root.tar", "fetched:1").lines().getLast()).matches("sha256:[0-9a-f]{64}");
            assertThat(docker("run", "--rm", "fetched:1", "echo", "came along").text()).isEqualTo("came along");
            assertThat(docker("history", "--format", "{{.Comment}}", "fetched:1").text())
                    .isEqualTo("Imported from " + url + "/root.tar");
            assertThat(failing(1, "import", url + "/nothing.tar", "fetched:2").err()).contains("404");
        } finally {
            web.stop(0);
        }
        docker("rmi", "fetched:1");
        Files.delete(archive);
    }

    /// An image that differs from others by what `changes` say, without a name if `name` is empty.
    private String committed(String name, String... changes) throws Exception {
        String id = docker("create", IMAGE, "sh", "-c", "echo $$ > /made").text();
        docker("start", "-a", id);
        var words = new ArrayList<>(List.of("commit"));
        for (String change : changes) {
            words.addAll(List.of("-c", change));
        }
        words.add(id);
        if (!name.isEmpty()) {
            words.add(name);
        }
        String image = docker(words.toArray(String[]::new)).text();
        docker("rm", id);
        return image;
    }

    /// Which of these images the clean-up takes with these words.
    private List<String> pruned(List<String> images, String... words) throws Exception {
        String out = command("image", "prune", "-f").and(words).run().good().out();
        return images.stream().filter(image -> out.contains("deleted: " + image)).toList();
    }

    @Test
    void pruningTakesWhatItsFiltersChoose() throws Exception {
        String before = Instant.now().toString();
        String web = committed("", "LABEL tier=web");
        String after = Instant.now().toString();
        String data = committed("", "LABEL tier=data");
        String plain = committed("", "LABEL other=1");
        String named = committed("prunable:1", "LABEL tier=named");
        var all = List.of(web, data, plain, named);
        assertThat(pruned(all, "--filter", "until=" + before)).as("none is older").isEmpty();
        assertThat(pruned(all, "--filter", "label=tier=mail")).isEmpty();
        assertThat(pruned(all, "--filter", "label!=tier", "--filter", "until=1h")).isEmpty();
        assertThat(pruned(all, "--filter", "until=" + after)).containsExactly(web);
        assertThat(pruned(all, "--filter", "label!=other")).as("dangling alone").containsExactly(data);
        assertThat(pruned(all, "-a", "--filter", "label=tier=named")).containsExactly(named);
        assertThat(failing(1, "image", "inspect", "prunable:1").err()).containsIgnoringCase("no such image");
        assertThat(pruned(all)).containsExactly(plain);
        assertThat(failing(1, "image", "prune", "-f", "--filter", "colour=red").err()).containsIgnoringCase("invalid filter");
    }

    @Test
    void pruningTakesWhatNothingUses() throws Exception {
        String id = docker("create", IMAGE, "sh", "-c", "echo pruned > /pruned").text();
        docker("start", "-a", id);
        String image = docker("commit", id).text();
        docker("rm", id);
        assertThat(docker("image", "prune", "-f").out()).contains("deleted: " + image).contains("Total reclaimed space: ");
        assertThat(failing(1, "image", "inspect", image).err()).containsIgnoringCase("no such image");
        assertThat(docker("system", "df").out()).contains("TYPE").contains("Images").contains("RECLAIMABLE");
    }
}
