package carafe.build.step;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FileModeTest {

    /// Words, the bits before, the bits after: what chmod(1) of FreeBSD makes of a file with no umask.
    private static final String CASES = """
            755 0600 0755
            +x 0644 0755
            +t 0755 01755
            u+s 0755 04755
            =r 0777 0444
            go= 0777 0700
            g=u 0640 0660
            07755 0640 07755
            g=u 0705 0775
            go=u-w 0750 0755
            o=g 0640 0644
            u+g 0060 0660
            o-u 0607 0601
            a=u 0400 0444
            u+x-r+w 0400 0300
            u=rwX,go=rX 0640 0644
            u=rwX,go=rX 0740 0755
            u=rw,a+X 0744 0755
            """;

    @Test
    void clausesAndOperatorsAreAppliedInOrder() {
        for (String line : CASES.lines().toList()) {
            String[] words = line.split(" ");
            int after = new FileMode(words[0]).apply(Integer.parseInt(words[1], 8), false);
            assertThat(after).as(line).isEqualTo(Integer.parseInt(words[2], 8));
        }
    }

    @Test
    void aDirectoryMayAlwaysBeSearched() {
        assertThat(new FileMode("u=rwX,go=rX").apply(0600, true)).isEqualTo(0755);
    }
}
