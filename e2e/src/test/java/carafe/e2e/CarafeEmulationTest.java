package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Steps for another processor, with the kernel's real table of emulators. The programs are headers alone, and the emulator
/// is busybox, which does what the program's name says: all that lies between a step and an emulator is as with QEMU.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeEmulationTest {

    private static final Path HANDLERS = Path.of("/proc/sys/fs/binfmt_misc");
    private static final short LOONGARCH = 258;

    private final EngineUnderTest engine;
    private final String handler;
    private boolean mounted;

    CarafeEmulationTest() throws Exception {
        engine = new CarafeDaemon();
        handler = engine.directory().getFileName().toString();
    }

    @BeforeAll
    void start() throws Exception {
        if (!Files.exists(HANDLERS.resolve("register"))) {
            Command.of("mount", "-t", "binfmt_misc", "binfmt_misc", HANDLERS.toString()).run().good();
            mounted = true;
        }
        engine.start();
    }

    @AfterEach
    void forget() throws Exception {
        if (Files.exists(HANDLERS.resolve(handler))) {
            Files.writeString(HANDLERS.resolve(handler), "-1");
        }
    }

    @AfterAll
    void stop() throws Exception {
        engine.close();
        if (mounted) {
            Command.of("umount", HANDLERS.toString()).run().good();
        }
    }

    /// Registers busybox for LoongArch's programs; by their OS ABI for those of this test alone.
    private void register(String flags) throws Exception {
        String escaped = "";
        String mask = "";
        byte[] header = program();
        for (int i = 0; i < 20; i++) {
            escaped += "\\x%02x".formatted(header[i]);
            mask += i == 16 ? "\\xfe" : "\\xff";
        }
        Path busybox = Tools.fetched("busybox", "usr/bin/busybox");
        Path emulator = Files.copy(busybox, engine.directory().resolve("busybox-" + flags));
        Files.writeString(HANDLERS.resolve("register"),
                ":" + handler + ":M:0:" + escaped + ":" + mask + ":" + emulator + ":" + flags);
    }

    /// The header of a program for LoongArch, of an OS ABI that nobody has.
    private static byte[] program() {
        return ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN)
                .put("\177ELF".getBytes(StandardCharsets.US_ASCII)).put((byte) 2).put((byte) 1).put((byte) 1).put((byte) 0x7a)
                .putLong(0).putShort((short) 2).putShort(LOONGARCH).putInt(1).array();
    }

    private Outcome build(String... more) throws Exception {
        Path context = Files.createTempDirectory(engine.directory(), "context");
        Files.write(context.resolve("sh"), program());
        Files.writeString(context.resolve("Dockerfile"), """
                FROM scratch
                ARG TARGETARCH
                COPY --chmod=755 sh /bin/sh
                RUN echo "a step on $TARGETARCH" > /said; read line < /said; echo "printed: $line"
                """);
        return Client.carafe().to(engine)
                .and("build", "--progress", "plain", "--network", "none", "--no-cache", "--platform", "linux/loong64")
                .and(more).and(context.toString()).run();
    }

    @Test
    void aStepRunsThroughAnEmulatorThatTheKernelHolds() throws Exception {
        register("F");
        assertThat(build("-t", "emulated").good().err()).contains("printed: a step on loong64");
        assertThat(Client.carafe().to(engine).and("image", "inspect", "-f", "{{.Architecture}}", "emulated").run().good().text())
                .isEqualTo("loong64");
    }

    @Test
    void whatIsInTheWayIsSaidBeforeTheProgramIsStarted() throws Exception {
        assertThat(build().endedWith(1).err()).contains("cannot run /bin/sh for linux/loong64 on this linux/amd64 machine: "
                + "no emulator for loong64 is registered with the kernel in " + HANDLERS + "; install one that registers itself "
                + "(Debian: apt-get install qemu-user-static), or do the step on this machine's platform: "
                + "FROM --platform=$BUILDPLATFORM");
        register("O");
        assertThat(build().endedWith(1).err()).contains("is looked for in the image, which does not have it, because " + handler
                + " was registered in " + HANDLERS + " without the flag F");
    }
}
