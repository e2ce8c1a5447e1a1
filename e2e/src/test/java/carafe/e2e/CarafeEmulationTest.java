package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
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

    /// Makes the kernel's table seen in a namespace of mounts, whether the host shows it or not.
    private static final String SEEN = "[ -e " + HANDLERS + "/register ] || mount -t binfmt_misc binfmt_misc " + HANDLERS;

    private final EngineUnderTest engine;
    private final String handler;
    private final byte[] mark = new byte[8];

    CarafeEmulationTest() throws Exception {
        engine = new CarafeDaemon(alone(SEEN));
        handler = engine.directory().getFileName().toString();
        ThreadLocalRandom.current().nextBytes(mark);
    }

    /// In a namespace of mounts of its own that `script` has prepared: mounts of the host stay as they are.
    private static List<String> alone(String script) {
        return List.of("unshare", "--mount", "sh", "-c", "set -e; " + script + "; exec \"$@\"", "sh");
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
    }

    @AfterEach
    void forget() throws Exception {
        where("if [ -e " + HANDLERS.resolve(handler) + " ]; then echo -1 > " + HANDLERS.resolve(handler) + "; fi");
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    /// Runs a script where the daemon sees the kernel's table.
    private void where(String script, String... words) throws Exception {
        Command.of("nsenter", "--mount=/proc/" + engine.pid() + "/ns/mnt", "sh", "-c", script, "sh").and(words).run().good();
    }

    /// Registers busybox for LoongArch's programs; by bytes that nobody looks at for those of this run of the test alone.
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
        where("printf %s \"$1\" > " + HANDLERS.resolve("register"),
                ":" + handler + ":M:0:" + escaped + ":" + mask + ":" + emulator + ":" + flags);
    }

    /// The header of a program for LoongArch, of an OS ABI that nobody has.
    private byte[] program() {
        return ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN)
                .put("\177ELF".getBytes(StandardCharsets.US_ASCII)).put((byte) 2).put((byte) 1).put((byte) 1).put((byte) 0x7a)
                .put(mark).putShort((short) 2).putShort(LOONGARCH).putInt(1).array();
    }

    private static Outcome build(EngineUnderTest engine, byte[] program, String... more) throws Exception {
        Path context = Files.createTempDirectory(engine.directory(), "context");
        Files.write(context.resolve("sh"), program);
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

    private String cannot() throws Exception {
        String host = Client.carafe().to(engine).and("version", "-f", "{{.Server.Os}}/{{.Server.Arch}}").run().good().text();
        return "cannot run /bin/sh for linux/loong64 on this " + host + " machine: ";
    }

    @Test
    void aStepRunsThroughAnEmulatorThatTheKernelHolds() throws Exception {
        register("F");
        assertThat(build(engine, program(), "-t", "emulated").good().err()).contains("printed: a step on loong64");
        assertThat(Client.carafe().to(engine).and("image", "inspect", "-f", "{{.Architecture}}", "emulated").run().good().text())
                .isEqualTo("loong64");
    }

    @Test
    void whatIsInTheWayIsSaidBeforeTheProgramIsStarted() throws Exception {
        assertThat(build(engine, program()).endedWith(1).err()).contains(cannot() + "no emulator for loong64 is registered with"
                + " the kernel in " + HANDLERS + "; install one that registers itself (Debian: apt-get install qemu-user-static),"
                + " or do the step on this machine's platform: FROM --platform=$BUILDPLATFORM");
        register("O");
        assertThat(build(engine, program()).endedWith(1).err()).contains("is looked for in the image, which does not have it,"
                + " because " + handler + " was registered in " + HANDLERS + " without the flag F");
    }

    @Test
    void anEmulatorIsUsedWhereItsRegistrationIsNotSeen() throws Exception {
        register("CF");
        try (var blind = new CarafeDaemon(alone("mount -t proc proc /proc"))) {
            blind.start();
            assertThat(build(blind, program()).good().err()).contains("printed: a step on loong64");
            forget();
            assertThat(build(blind, program()).endedWith(1).err()).contains("exec format error", cannot()
                    + "the kernel has no emulator for loong64; install one that registers itself");
        }
    }
}
