package carafe.http;

import static carafe.http.TestServer.TEXT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Answers whose length is known before their bytes are: files and sized streams.
@Timeout(60)
class SizedAnswerTest {

    @TempDir
    private Path directory;

    private final byte[] content = new byte[9 << 20];
    private Path file;

    @BeforeEach
    void makeFile() throws IOException {
        new Random(7).nextBytes(content);
        file = Files.write(directory.resolve("blob"), content);
    }

    private Handler sending(long offset, long length) {
        return exchange -> {
            try (var channel = FileChannel.open(file)) {
                exchange.respondFile(200, TEXT, channel, offset, length);
            }
        };
    }

    @Test
    void filesArriveWholeOverBothSocketsForManyAtOnce() throws Exception {
        try (var server = new TestServer(sending(0, content.length));
                var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<byte[]>>();
            for (int i = 0; i < 12; i++) {
                var address = i % 2 == 0 ? server.tcp : new Address.Unix(server.socket);
                answers.add(pool.submit(() -> {
                    try (var client = new HttpClient(address, java.time.Duration.ofSeconds(5))) {
                        return client.send(ClientRequest.get("/")).readBody(content.length);
                    }
                }));
            }
            for (var answer : answers) {
                assertThat(Arrays.equals(answer.get(), content)).isTrue();
            }
        }
    }

    @Test
    void aPieceOfAFileIsExact() throws Exception {
        try (var server = new TestServer(sending(70_001, 3)); var client = server.client()) {
            assertThat(client.send(ClientRequest.get("/")).readBody(10))
                    .isEqualTo(Arrays.copyOfRange(content, 70_001, 70_004));
        }
    }

    @Test
    void headTellsTheLengthAndSendsNothing() throws Exception {
        try (var server = new TestServer(sending(0, content.length)); var peer = server.connect()) {
            peer.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assertThat(peer.restText()).contains("Content-Length: " + content.length + "\r\n").endsWith("\r\n\r\n");
        }
        Handler streaming = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT, 5)) {
                out.write(new byte[5]);
            }
        };
        try (var server = new TestServer(streaming); var peer = server.connect()) {
            peer.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assertThat(peer.restText()).contains("Content-Length: 5\r\n").endsWith("\r\n\r\n");
        }
    }

    @Test
    void aSizedStreamKeepsTheConnection() throws Exception {
        Handler streaming = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT, content.length)) {
                out.write(content, 0, 100);
                out.write(content, 100, content.length - 100);
            }
        };
        try (var server = new TestServer(streaming); var client = server.client()) {
            for (int i = 0; i < 3; i++) {
                assertThat(Arrays.equals(client.send(ClientRequest.get("/")).readBody(content.length), content)).isTrue();
            }
            assertThat(server.server.connections()).isEqualTo(1);
        }
    }

    @Test
    void aShorterAnswerThanAnnouncedIsTorn() throws Exception {
        Handler streaming = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT, 10)) {
                out.write(content, 0, 9);
            }
        };
        try (var server = new TestServer(streaming); var client = server.client()) {
            assertThatThrownBy(() -> client.send(ClientRequest.get("/")).readBody(10)).isInstanceOf(IOException.class);
            assertThat(server.tooLate.take()).hasMessage("the answer is shorter than its head said");
        }
        try (var server = new TestServer(sending(content.length - 1, 100_000)); var client = server.client()) {
            assertThatThrownBy(() -> client.send(ClientRequest.get("/")).readBody(1 << 20))
                    .isInstanceOf(IOException.class);
            assertThat(server.tooLate.take()).hasMessage("the file ends before the answer does");
        }
    }

    @Test
    void aClientThatLeavesEndsTheTransfer() throws Exception {
        try (var server = new TestServer(sending(0, content.length))) {
            try (var peer = server.connectTcp()) {
                peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
                peer.head();
            }
        }
        // closing the server asserts that no connection and no descriptor is left
    }
}
