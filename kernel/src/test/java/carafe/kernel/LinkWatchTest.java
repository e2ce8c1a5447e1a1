package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class LinkWatchTest {

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    private NamespaceThread thread;
    private NetNamespace place;
    private LinkWatch watch;

    @BeforeEach
    void open() throws Exception {
        thread = NamespaceThread.start();
        place = thread.create(new NetNamespace.Settings(Map.of()));
        watch = thread.inside(place.handle(), LinkWatch::open);
    }

    @AfterEach
    void close() {
        watch.close();
        place.close();
        thread.close();
    }

    private int add(LinkEnd end) throws Exception {
        place.netlink().perform(NetRequest.addLink(end, "bridge"));
        return place.netlink().link(end.name()).orElseThrow().index();
    }

    /// What is heard until `last` is gone.
    private Map<Integer, String> heard(int last) throws Exception {
        var heard = new TreeMap<Integer, String>();
        watch.watch((links, lost) -> {
            assertThat(lost).isFalse();
            heard.putAll(links);
            if (heard.containsKey(last)) {
                try {
                    watch.stop();
                } catch (KernelException e) {
                    throw new AssertionError(e);
                }
            }
        });
        return heard;
    }

    @Test
    void deletionsAreHeardByNumberAndName() throws Exception {
        int one = add(LinkEnd.named("one"));
        add(LinkEnd.named("stays"));
        int two = add(LinkEnd.named("two"));
        place.netlink().perform(NetRequest.deleteLink("one"));
        place.netlink().perform(NetRequest.deleteLink(two));
        assertThat(heard(two)).containsExactly(Map.entry(one, "one"), Map.entry(two, "two"));
    }

    @Test
    void aPortThatLeavesItsBridgeIsNotDeleted() throws Exception {
        place.netlink().perform(NetRequest.addLink(LinkEnd.named("br").raised(), "bridge"));
        place.netlink().perform(NetRequest.addVeth(LinkEnd.named("port"), LinkEnd.named("far")));
        place.netlink().perform(NetRequest.enslave("port", place.netlink().link("br").orElseThrow().index()));
        place.netlink().perform(NetRequest.enslave("port", 0));
        int last = add(LinkEnd.named("last"));
        place.netlink().perform(NetRequest.deleteLink("last"));
        assertThat(heard(last)).containsExactly(Map.entry(last, "last"));
    }

    @Test
    void otherNewsDoesNotCrowdOutADeletion() throws Exception {
        int link = add(LinkEnd.named("busy"));
        for (int i = 0; i < 2000; i++) {
            place.netlink().perform(NetRequest.raise(link, i % 2 == 0)); // more than a socket's queue has room for
        }
        place.netlink().perform(NetRequest.deleteLink(link));
        assertThat(heard(link)).containsExactly(Map.entry(link, "busy"));
    }
}
