package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ConstantsTest {

    /// Younger than the headers of Debian 12; they are compared where the headers have them.
    private static final Set<String> YOUNG = Set.of("SYS_STATMOUNT", "SYS_LISTMOUNT",
            "SYS_SETXATTRAT", "SYS_GETXATTRAT", "SYS_LISTXATTRAT", "SYS_CACHESTAT", "SYS_FCHMODAT2");

    @Test
    void everyConstantIsWhatTheHeadersSay() throws Exception {
        var printed = new TreeMap<String, Long>();
        var process = new ProcessBuilder(Path.of(System.getProperty("carafe.native"), "constants").toString()).start();
        for (String line : new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).split("\n")) {
            printed.put(line.split(" ")[0], Long.parseLong(line.split(" ")[1]));
        }
        assertThat(process.waitFor()).isZero();

        var ours = new TreeMap<String, Long>();
        for (var type : new Class<?>[] {Linux.class, Errno.class, Rtnetlink.class, NfTables.class}) {
            for (var field : type.getDeclaredFields()) {
                if (Modifier.isPublic(field.getModifiers())) {
                    ours.put(field.getName(), ((Number) field.get(null)).longValue());
                }
            }
        }
        for (var call : Syscall.values()) {
            ours.put("SYS_" + call.name(), (long) call.number());
        }
        ours.keySet().removeIf(name -> YOUNG.contains(name) && !printed.containsKey(name));

        assertThat(ours).hasSizeGreaterThan(400);
        assertThat(ours).isEqualTo(printed);
    }

    @Test
    void namesAndTextsOfErrorsAreThoseOfTheManual() {
        assertThat(Errno.name(Errno.EACCES)).isEqualTo("EACCES");
        assertThat(Errno.text(Errno.EACCES)).isEqualTo("permission denied");
        assertThat(Errno.text(Errno.ENOENT)).isEqualTo("no such file or directory");
        assertThat(Errno.text(Errno.EHWPOISON)).isEqualTo("memory page has hardware error");
        assertThat(Errno.name(41)).isEqualTo("errno 41");
        assertThat(Errno.text(4000)).isEqualTo("errno 4000");
    }

    @Test
    void aFailureIsASentence() {
        assertThat(new KernelException("mount", "/proc", Errno.EACCES)).hasMessage("mount /proc: permission denied");
        assertThat(new KernelException("pipe2", null, Errno.EMFILE)).hasMessage("pipe2: too many open files");
        assertThat(new KernelException("fsconfig", "overlay", Errno.EINVAL, "overlay: no upper"))
                .hasMessage("fsconfig overlay: invalid argument (overlay: no upper)");
    }
}
