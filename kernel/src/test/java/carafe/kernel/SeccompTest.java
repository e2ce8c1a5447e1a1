package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.SeccompProfile.Action;
import carafe.kernel.SeccompProfile.Argument;
import carafe.kernel.SeccompProfile.Comparison;
import carafe.kernel.SeccompProfile.Rule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Compiled filters, run by a small interpreter of classic BPF.
@ExtendWith(NothingLeft.class)
class SeccompTest {

    private static final int X86_64 = 0xC000003E;
    private static final int X86 = 0x40000003;
    private static final int NATIVE = SeccompCompiler.nativeArchitecture();
    private static final int ALLOW = 0x7FFF0000;
    private static final int EPERM = 0x00050001;
    private static final int ENOSYS = 0x00050000 | 38;
    private static final Syscall NEWEST = Syscall.FACCESSAT2;

    @TempDir
    Path cache;

    private Seccomp seccomp() {
        return Seccomp.find(cache).orElseThrow();
    }

    private static int answer(byte[] filter, int architecture, int number, long... arguments) {
        return FilterInterpreter.answer(filter, architecture, number, arguments);
    }

    private static SeccompProfile profile(Action defaultAction, List<String> architectures, Rule... rules) {
        return new SeccompProfile(defaultAction, OptionalInt.of(Errno.EPERM), architectures, List.of(), List.of(rules));
    }

    private static Rule allow(String name, Argument... arguments) {
        return new Rule(List.of(name), Action.ALLOW, OptionalInt.empty(), List.of(arguments));
    }

    private static Rule allowMany() {
        var names = new ArrayList<String>();
        for (var call : Syscall.values()) {
            if (call.number() <= NEWEST.number() && call != Syscall.PERSONALITY && call != Syscall.CLONE
                    && call != Syscall.MOUNT && call != Syscall.SOCKET && call != Syscall.CLONE3) {
                names.add(call.toString());
            }
        }
        names.add("a_call_of_the_year_2099");
        return new Rule(names, Action.ALLOW, OptionalInt.empty(), List.of());
    }

    private SeccompProfile likeDockers() {
        return profile(Action.ERRNO, Machine.THIS == Machine.AMD64 ? List.of("SCMP_ARCH_X86", "SCMP_ARCH_X32")
                : List.of("SCMP_ARCH_ARM"), allowMany(),
                allow("personality", new Argument(0, 0, 0, Comparison.EQUAL)),
                allow("personality", new Argument(0, 8, 0, Comparison.EQUAL)),
                allow("socket", new Argument(0, 40, 0, Comparison.NOT_EQUAL)),
                allow("clone", new Argument(0, 2114060288, 0, Comparison.MASKED_EQUAL)),
                new Rule(List.of("clone3"), Action.ERRNO, OptionalInt.of(Errno.ENOSYS), List.of()));
    }

    @Test
    void callsAreAnsweredAsTheProfileSays() throws Exception {
        byte[] filter = seccomp().compile(likeDockers());
        assertThat(answer(filter, NATIVE, Syscall.READ.number())).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, NEWEST.number())).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, Syscall.MOUNT.number())).isEqualTo(EPERM);
        assertThat(answer(filter, NATIVE, Syscall.CLONE3.number())).isEqualTo(ENOSYS);
        assertThat(answer(filter, NATIVE, Syscall.PERSONALITY.number(), 8)).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, Syscall.PERSONALITY.number(), 9)).isEqualTo(EPERM);
        assertThat(answer(filter, NATIVE, Syscall.PERSONALITY.number(), 8L << 32)).isEqualTo(EPERM);
        assertThat(answer(filter, NATIVE, Syscall.SOCKET.number(), Linux.AF_UNIX)).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, Syscall.SOCKET.number(), 40)).isEqualTo(EPERM);
        assertThat(answer(filter, NATIVE, Syscall.CLONE.number(), 0x11)).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, Syscall.CLONE.number(), Linux.CLONE_NEWUSER)).isEqualTo(EPERM);
    }

    @Test
    void callsNewerThanTheProfileAreMissing() throws Exception {
        byte[] filter = seccomp().compile(likeDockers());
        assertThat(answer(filter, NATIVE, NEWEST.number() + 1)).isEqualTo(ENOSYS);
        assertThat(answer(filter, NATIVE, 100_000)).isEqualTo(ENOSYS);
        if (Machine.THIS == Machine.AMD64) {
            assertThat(answer(filter, X86_64, 0x40000000 | Syscall.READ.number())).isEqualTo(ALLOW); // x32
            assertThat(answer(filter, X86_64, 0x40000000 | Syscall.MOUNT.number())).isEqualTo(EPERM);
            assertThat(answer(filter, X86_64, 0x40000000 | 600)).isEqualTo(ENOSYS);
            assertThat(answer(filter, X86, 3)).isEqualTo(ALLOW); // read
            assertThat(answer(filter, X86, 21)).isEqualTo(EPERM); // mount
            assertThat(answer(filter, X86, 500)).isEqualTo(ENOSYS);
        }
    }

    @Test
    void anArchitectureNotInTheProfileIsRefused() throws Exception {
        byte[] filter = seccomp().compile(likeDockers());
        assertThat(answer(filter, 0xC00000F3, Syscall.READ.number())).isEqualTo(0); // kill, on riscv64
    }

    @Test
    void whereUnknownCallsAreAllowedNewOnesAre() throws Exception {
        byte[] filter = seccomp().compile(profile(Action.ALLOW, List.of(),
                new Rule(List.of("mount"), Action.ERRNO, OptionalInt.of(Errno.EACCES), List.of())));
        assertThat(answer(filter, NATIVE, 5000)).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, Syscall.MOUNT.number())).isEqualTo(0x00050000 | Errno.EACCES);
    }

    @Test
    void comparingOneArgumentTwiceMeansEither() throws Exception {
        byte[] filter = seccomp().compile(profile(Action.KILL_PROCESS, List.of(), allow("personality",
                new Argument(0, 1, 0, Comparison.EQUAL), new Argument(0, 2, 0, Comparison.EQUAL))));
        assertThat(answer(filter, NATIVE, Syscall.PERSONALITY.number(), 1)).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, Syscall.PERSONALITY.number(), 2)).isEqualTo(ALLOW);
        assertThat(answer(filter, NATIVE, Syscall.PERSONALITY.number(), 3)).isEqualTo(0x80000000);
    }

    @Test
    void everyComparisonCompares() throws Exception {
        long big = 1L << 40 | 5;
        for (var comparison : Comparison.values()) {
            byte[] filter = seccomp().compile(profile(Action.ERRNO, List.of(),
                    allow("personality", new Argument(1, big, 5, comparison))));
            for (long value : new long[] {0, 5, big - 1, big, big + 1, big + (1L << 40), -1}) {
                int order = Long.compareUnsigned(value, big);
                boolean holds = switch (comparison) {
                    case NOT_EQUAL -> order != 0;
                    case LESS -> order < 0;
                    case LESS_OR_EQUAL -> order <= 0;
                    case EQUAL -> order == 0;
                    case GREATER_OR_EQUAL -> order >= 0;
                    case GREATER -> order > 0;
                    case MASKED_EQUAL -> (value & big) == 5;
                };
                assertThat(answer(filter, NATIVE, Syscall.PERSONALITY.number(), 0, value))
                        .as("%s %x", comparison, value).isEqualTo(holds ? ALLOW : EPERM);
            }
        }
    }

    @Test
    void theShortFilterAnswersLikeTheWhole() throws Exception {
        var library = LibSeccomp.find().orElseThrow();
        for (var profile : List.of(likeDockers(),
                profile(Action.KILL_PROCESS, List.of(), allowMany()),
                profile(Action.ALLOW, List.of(), new Rule(List.of("mount", "socket"), Action.ERRNO,
                        OptionalInt.of(Errno.EACCES), List.of(new Argument(2, 7, 0, Comparison.GREATER)))))) {
            byte[] whole;
            byte[] made;
            try (var compiler = new SeccompCompiler(library, profile)) {
                whole = compiler.whole();
            }
            try (var compiler = new SeccompCompiler(library, profile)) {
                made = compiler.compile();
            }
            assertThat(made.length).isLessThanOrEqualTo(whole.length > 1000 ? whole.length * 4 / 5 : whole.length);
            for (int architecture : new int[] {NATIVE, X86, 0xC00000F3}) {
                for (int number = -2; number < 700; number++) {
                    for (int bit : new int[] {0, 0x40000000, 0x80000000}) {
                        for (long value : new long[] {0, 7, 8, 40, 2114060288, 8L << 32, -1}) {
                            assertThat(answer(made, architecture, number ^ bit, value, value, value))
                                    .as("%x %d %x %x", architecture, number, bit, value)
                                    .isEqualTo(answer(whole, architecture, number ^ bit, value, value, value));
                        }
                    }
                }
            }
        }
    }

    @Test
    void aCompiledFilterIsKeptAndADamagedFileIsMadeAnew() throws Exception {
        byte[] first = seccomp().compile(likeDockers());
        Path file;
        try (var files = Files.list(cache)) {
            file = files.toList().getFirst();
        }
        assertThat(file.getFileName().toString()).matches("[0-9a-f]{64}\\.bpf");
        var time = Files.getLastModifiedTime(file);
        assertThat(seccomp().compile(likeDockers())).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(time);

        byte[] damaged = Files.readAllBytes(file);
        damaged[damaged.length - 1] ^= 1;
        Files.write(file, damaged);
        assertThat(seccomp().compile(likeDockers())).isEqualTo(first);
        Files.write(file, new byte[3]);
        var seccomp = seccomp();
        assertThat(seccomp.compile(likeDockers())).isEqualTo(first);
        Files.delete(file);
        assertThat(seccomp.compile(likeDockers())).isEqualTo(first);
        assertThat(file).doesNotExist();
    }

    @Test
    void otherProfilesHaveOtherFilters() throws Exception {
        var seccomp = seccomp();
        byte[] one = seccomp.compile(profile(Action.ERRNO, List.of(), allow("read")));
        byte[] two = seccomp.compile(profile(Action.ERRNO, List.of(), allow("write")));
        assertThat(one).isNotEqualTo(two);
    }

    @Test
    void aHostWithoutTheLibrarySaysSo() {
        assertThat(LibSeccomp.load("libseccomp.so.9999")).isEmpty();
        assertThat(seccomp().version()).matches("2\\.\\d+\\.\\d+");
    }

    @Test
    void whatIsNoArchitectureOrFlagIsRefused() {
        assertThatThrownBy(() -> seccomp().compile(profile(Action.ERRNO, List.of("SCMP_ARCH_Z80"))))
                .isInstanceOf(KernelException.class).hasMessageContaining("SCMP_ARCH_Z80");
        var flags = new SeccompProfile(Action.ALLOW, OptionalInt.empty(), List.of(),
                List.of("SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"), List.of());
        assertThat(flags.filterFlags()).isEqualTo(6);
        assertThatThrownBy(() -> new Argument(6, 0, 0, Comparison.EQUAL)).isInstanceOf(IllegalArgumentException.class);
    }
}
