package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NothingLeft.class)
class DescriptorsTest {

    @TempDir
    Path place;

    private static boolean closesOnExec(Fd fd) throws IOException {
        String flags = Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd.number())).get(1);
        return (Long.parseLong(flags.substring(6).strip(), 8) & Linux.O_CLOEXEC) != 0;
    }

    @Test
    void aSealedMemfdCannotBeChanged() throws Exception {
        try (var fd = Descriptors.sealedMemfd("blob", new byte[] {1, 2, 3})) {
            assertThat(FdStream.readAll(fd, 10)).containsExactly(1, 2, 3);
            assertThatThrownBy(() -> FdStream.write(fd, new byte[1])).isInstanceOfSatisfying(KernelException.class,
                    e -> assertThat(e.errno()).isEqualTo(Errno.EPERM));
            assertThatThrownBy(() -> FdStream.truncate(fd, 0)).isInstanceOf(KernelException.class);
        }
    }

    @Test
    void pipesCarryBytesAndEnd() throws Exception {
        try (var pipe = Descriptors.pipe(0)) {
            assertThat(closesOnExec(pipe.first())).isTrue();
            int bytes = Descriptors.setPipeBytes(pipe.second(), 1 << 17);
            assertThat(bytes).isGreaterThanOrEqualTo(4096);
            FdStream.write(pipe.second(), "abc".getBytes(StandardCharsets.US_ASCII));
            pipe.second().close();
            byte[] into = new byte[10];
            assertThat(FdStream.read(pipe.first(), into, 2, 8)).isEqualTo(3);
            assertThat(into[2]).isEqualTo((byte) 'a');
            assertThat(FdStream.read(pipe.first(), into, 0, 8)).isEqualTo(-1);
        }
    }

    @Test
    void aPipeMayNotBeGrownForEverButThatIsNoFailure() throws Exception {
        try (var pipe = Descriptors.pipe(0)) {
            assertThat(Descriptors.setPipeBytes(pipe.first(), 4096)).isEqualTo(4096);
        }
    }

    @Test
    void socketPairsTalkBothWays() throws Exception {
        try (var pair = Descriptors.socketPair(Linux.SOCK_SEQPACKET)) {
            FdStream.write(pair.first(), new byte[] {7});
            FdStream.write(pair.second(), new byte[] {8, 9});
            byte[] into = new byte[10];
            assertThat(FdStream.read(pair.second(), into, 0, 10)).isEqualTo(1);
            assertThat(FdStream.read(pair.first(), into, 0, 10)).isEqualTo(2);
        }
    }

    @Test
    void oneLockAtATime() throws Exception {
        var file = place.resolve("lock");
        int flags = Linux.O_RDWR | Linux.O_CREAT;
        try (var second = Descriptors.open(file, flags, 0600)) {
            try (var first = Descriptors.open(file, flags, 0600)) {
                assertThat(Descriptors.tryLock(first, true)).isTrue();
                assertThat(Descriptors.tryLock(second, false)).isFalse();
            }
            assertThat(Descriptors.tryLock(second, true)).isTrue();
        }
    }

    @Test
    void inheritanceIsAsSet() throws Exception {
        try (var fd = Descriptors.memfd("inherited")) {
            Descriptors.setInheritable(fd, true);
            assertThat(closesOnExec(fd)).isFalse();
            Descriptors.setInheritable(fd, false);
            assertThat(closesOnExec(fd)).isTrue();
        }
    }

    @Test
    void streamsCarryAnyLength() throws Exception {
        byte[] content = new byte[700_001];
        new Random(1).nextBytes(content);
        int flags = Linux.O_RDWR | Linux.O_CREAT;
        try (var out = FdStream.adoptOutput(Descriptors.open(place.resolve("file"), flags, 0600))) {
            out.write(content, 0, 300_000);
            out.write(content[300_000] & 0xFF);
            out.write(content, 300_001, content.length - 300_001);
        }
        try (var in = FdStream.adoptInput(Descriptors.open(place.resolve("file"), Linux.O_RDONLY, 0))) {
            assertThat(in.read()).isEqualTo(content[0] & 0xFF);
            assertThat(in.readAllBytes()).hasSize(content.length - 1);
        }
        assertThat(place.resolve("file")).hasBinaryContent(content);
    }

    @Test
    void aClosedStreamSaysSo() throws Exception {
        var in = FdStream.adoptInput(Descriptors.memfd("closed"));
        in.close();
        assertThatThrownBy(in::read).isInstanceOf(IOException.class).hasMessageContaining("closed");
    }

    @Test
    void copiesInsideTheKernelAcrossFilesystemsToo() throws Exception {
        byte[] content = new byte[200_000];
        new Random(2).nextBytes(content);
        Files.write(place.resolve("from"), content);
        try (var from = Descriptors.open(place.resolve("from"), Linux.O_RDONLY, 0);
                var to = Descriptors.open(place.resolve("to"), Linux.O_RDWR | Linux.O_CREAT, 0600);
                var memory = Descriptors.memfd("to")) {
            assertThat(FdStream.copy(from, to, 1 << 30)).isEqualTo(content.length);
            FdStream.sync(to);
            FdStream.syncFilesystem(to);
            FdStream.seek(from, 100, Linux.SEEK_SET);
            assertThat(FdStream.copy(from, memory, 1000)).isEqualTo(1000);
            byte[] part = new byte[10];
            assertThat(FdStream.readAt(memory, 990, part, 0, 10)).isEqualTo(10);
            assertThat(part).containsExactly(Arrays.copyOfRange(content, 1090, 1100));
        }
        assertThat(place.resolve("to")).hasBinaryContent(content);
        try (var proc = Descriptors.open(Path.of("/proc/self/status"), Linux.O_RDONLY, 0);
                var memory = Descriptors.memfd("to")) {
            assertThat(FdStream.copy(proc, memory, 1 << 20)).isPositive();
        }
    }
}
