package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// What else there is to say of the kernel's own.
abstract class HostQuotasContract extends QuotasContract {

    @Test
    void aRootThatHasAProjectOfTheHostsHasNoOtherAndIsToldSo() throws Exception {
        assertThat(quotas.advice()).contains("pquota").doesNotContain("of the host's already");
        quotas.assign(root, project);
        assertThat(quotas.enforced()).isFalse();
        assertThat(quotas.advice()).startsWith(root + " has project " + project + " of the host's already")
                .doesNotContain("prjquota");
    }

    @Override
    DirectoryQuotas quotas(Path at) {
        return DirectoryQuotas.of(at);
    }
}
