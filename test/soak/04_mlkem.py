# Claim: ML-KEM-768 agrees with an independent implementation in 10,000 rounds (statement 17)
import os

from kit.run import BIN

from words_said import parameter, say

SHORT = 100         # in make check, where the unit test itself takes 1,000


def test_accumulated(w):
    rounds = parameter("ROUNDS", SHORT)
    result = w.run([os.path.join(BIN, "unit", "test_mlkem768")], patience=1800,
                   env=dict(os.environ, MLKEM_ROUNDS=str(rounds)))
    say("%d rounds" % rounds)
    assert result.status == 0, result
