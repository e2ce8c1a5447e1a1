@NullMarked
package carafe.engine;

import org.jspecify.annotations.NullMarked;
