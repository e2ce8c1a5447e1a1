package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NoQuotasTest {

    /// No kernel has project quotas there.
    private static final Path NONE = Path.of("/proc/self");

    @Test
    void aFileSystemWithoutThemIsToldAndNoFailure() throws Exception {
        var quotas = DirectoryQuotas.of(NONE);
        assertThat(quotas.enforced()).isFalse();
        assertThat(quotas.project(NONE)).isZero();
        assertThat(quotas.advice()).startsWith("the file system of /proc/self keeps no project quotas: ")
                .contains("pquota").contains("prjquota");
    }

    @Test
    void whoSetsThemThereIsToldWhatFailed() {
        assertThatThrownBy(() -> DirectoryQuotas.of(NONE).limit(5, 1000)).isInstanceOf(EngineException.class)
                .hasMessageStartingWith("cannot set the quota in /proc/self: quotactl_fd ");
        assertThatThrownBy(() -> DirectoryQuotas.of(NONE).assign(NONE, 5)).isInstanceOf(EngineException.class)
                .hasMessageStartingWith("cannot set the project of /proc/self: ioctl FS_IOC_FSGETXATTR: ");
    }
}
