package carafe.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class FailpointsTest {

    @Test
    void termsAreUsedUpFromLeftToRight() throws Exception {
        var points = Failpoints.parse("mount=1*off->2*EIO->off; cgroup = EPERM");
        points.pass("mount");
        assertThatThrownBy(() -> points.pass("mount")).isInstanceOf(Failpoints.Injected.class)
                .hasMessage("failpoint mount: EIO");
        assertThatThrownBy(() -> points.pass("mount")).isInstanceOf(Failpoints.Injected.class);
        points.pass("mount");
        assertThatThrownBy(() -> points.pass("cgroup")).isInstanceOf(Failpoints.Injected.class);
        assertThatThrownBy(() -> points.pass("cgroup")).isInstanceOf(Failpoints.Injected.class);
        assertThat(points.passed()).containsExactly("mount", "cgroup");
    }

    @Test
    void lastTermThatIsUsedUpPasses() throws Exception {
        var points = Failpoints.parse("a=1*EIO");
        assertThatThrownBy(() -> points.pass("a")).isInstanceOf(Failpoints.Injected.class);
        assertThatCode(() -> points.pass("a")).doesNotThrowAnyException();
    }

    @Test
    void productionCountsNothing() throws Exception {
        Failpoints.none().pass("a");
        assertThat(Failpoints.none().passed()).isEmpty();
        assertThat(Failpoints.none().active()).isFalse();
        assertThat(Failpoints.parse("").active()).isTrue();
    }

    @Test
    void nonsenseIsRefused() {
        for (String text : List.of("a", "=EIO", "a=", "a=1*", "a=x*EIO", "a=eio", "a=sleep(x)", "a=EIO->")) {
            assertThatThrownBy(() -> Failpoints.parse(text)).as(text).isInstanceOf(EngineException.Invalid.class);
        }
    }
}
