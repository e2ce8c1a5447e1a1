package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/// Builds of the same content at the same time.
final class CarafeSharedBuildsTest extends BuildScene {

    CarafeSharedBuildsTest() throws Exception {}

    /// Begins a build of `dockerfile` through Docker's door and reads the answer until it says `word`, and no further.
    private SocketChannel stalled(String dockerfile, String word) throws Exception {
        byte[] tar = new Tar().file("Dockerfile", dockerfile).finish();
        var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(engine.socket()));
        var request = new ByteArrayOutputStream();
        request.writeBytes(("POST /build?networkmode=none HTTP/1.1\r\nHost: docker\r\nContent-Type: application/x-tar\r\n"
                + "Content-Length: " + tar.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        request.writeBytes(tar);
        var out = ByteBuffer.wrap(request.toByteArray());
        while (out.hasRemaining()) {
            channel.write(out);
        }
        var read = new StringBuilder();
        var buffer = ByteBuffer.allocate(1);
        while (read.indexOf(word) < 0) {
            assertThat(channel.read(buffer)).as("the answer goes on behind %s", read).isPositive();
            read.append((char) buffer.flip().get());
            buffer.clear();
        }
        return channel;
    }

    @Test
    void aClientThatStopsReadingHoldsUpNobodyWhoWaitsForItsStep() throws Exception {
        String dockerfile = "FROM busybox\nRUN echo begun; yes 0123456789012345678901234567890123456789 | head -n 300000; "
                + "echo over\n";
        try (var _ = stalled(dockerfile, "begun")) { // 12 MB are more than all that is between
            var second = run("build", "--progress", "plain", "--network", "none", context(dockerfile).toString()).good();
            assertThat(second.err()).contains("begun", "over", "lines of output are left out here")
                    .doesNotContain("CACHED", "it is run anew");
        }
    }

    @Test
    void aStepThatOnlyAStalledClientWantsEndsWhenThatGoes() throws Exception {
        String dockerfile = "FROM busybox\nRUN echo begun; yes abandoned\n";
        stalled(dockerfile, "begun").close();
        Path runs = engine.execRoot().resolve("c");
        Deadline.await("the step is gone", () -> !Files.exists(runs) || List.of(runs.toFile().list()).isEmpty());
    }

    @Test
    void buildsOfTheSameContentKeepTheManifestsThatTheyAreTold() throws Exception {
        Path context = context("FROM scratch\nLABEL of=annotations\nCOPY f /f\n");
        Files.writeString(context.resolve("f"), "content");
        var digests = new ArrayList<String>();
        try (var registry = DebianRegistry.open(); var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var builds = new ArrayList<Callable<Outcome>>();
            for (int i = 0; i < 4; i++) {
                builds.add(carafe.to(engine).and("build", "-t", registry.host() + "/team/same:" + i, "--annotation",
                        "number=" + i, "-o", "type=image", "--metadata-file", file(i).toString(), context.toString())::run);
            }
            for (var build : pool.invokeAll(builds)) {
                build.get().good();
            }
            for (int i = 0; i < 4; i++) {
                String name = registry.host() + "/team/same:" + i;
                String told = Files.readString(file(i)).replaceAll("(?s).*\"containerimage.digest\":\"([^\"]*)\".*", "$1");
                assertThat(RawHttp.get(engine.socket(), "/v1.48/images/" + name + "/json?manifests=true"))
                        .contains("\"ID\":\"" + told + "\"");
                assertThat(digests).doesNotContain(told);
                digests.add(told);
                String pushed = run("push", name).good().text().replaceAll("(?s).*digest: (sha256:[0-9a-f]{64}).*", "$1");
                assertThat(run("manifest", "inspect", "--insecure", registry.host() + "/team/same@" + pushed).good().text())
                        .contains("\"number\": \"" + i + "\"");
                run("pull", registry.host() + "/team/same@" + pushed).good();
                assertThat(run("image", "inspect", registry.host() + "/team/same@" + told).endedWith(1).err())
                        .contains("No such image");
            }
        }
    }

    private Path file(int number) {
        return engine.directory().resolve("told-" + number + ".json");
    }
}
