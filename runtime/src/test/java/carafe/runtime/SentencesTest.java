package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.spec.oci.RootfsPlan;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Sentences of failures that this host does not have.
class SentencesTest {

    private static final Preparation ROOT = new Preparation.RootMount(
            new RootfsPlan.Overlay(List.of(Path.of("/l")), Path.of("/u"), Path.of("/w")));

    @Test
    void aKernelWithoutOverlaysIsNamed() {
        var failure = Sentences.preparing(ROOT, new KernelException("fsopen", "overlay", Errno.ENODEV));
        assertThat(failure).hasMessage("failed to create task for container: error mounting the root filesystem: "
                + "fsopen overlay: no such device: this kernel has no overlay filesystem; load it with modprobe overlay,"
                + " or boot a kernel that has it");
    }

    @Test
    void aDataRootThatIsNotFitIsSuspected() {
        var failure = Sentences.preparing(ROOT, new KernelException("fsconfig", "overlay", Errno.EINVAL, "upper"));
        assertThat(failure).hasMessageContaining("put --data-root on ext4, xfs, btrfs or tmpfs");
    }
}
