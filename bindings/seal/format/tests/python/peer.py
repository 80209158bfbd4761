"""Microsoft SEAL as Python has it: python3 peer.py tenseal|seal VERB FOLDER

make     writes parms, secret, public, relin, galois, and x (public key) and y (symmetric, seeded where the library can), each NAME.seal
compute  reads parms, relin, galois, x and y; writes product, rotated and conjugated
decrypt  reads parms, secret and every file named after the folder; prints their slots as one JSON list for each
"""

import json
import sys


class TenSeal:
    def __init__(self):
        import tenseal.sealapi as api

        self.api = api
        self.scheme = api.SCHEME_TYPE.CKKS
        self.security = api.SEC_LEVEL_TYPE.TC128

    def decode(self, encoder, plain):
        return encoder.decode_double(plain)

    def save_seeded(self, encryptor, plain, path):
        encryptor.encrypt_symmetric(plain).save(path)


class SealPython:
    def __init__(self):
        import seal as api

        self.api = api
        self.scheme = api.scheme_type.ckks
        self.security = api.sec_level_type.tc128

    def decode(self, encoder, plain):
        return encoder.decode(plain)

    def save_seeded(self, encryptor, plain, path):
        encryptor.encrypt_symmetric(plain).save(path)


library = {"tenseal": TenSeal, "seal": SealPython}[sys.argv[1]]()
api, verb, folder = library.api, sys.argv[2], sys.argv[3]
SCALE = 2.0**40


def at(name):
    return f"{folder}/{name}.seal"


def read(what, name, context=None):
    thing = what()
    if context is None:
        thing.load(at(name))
    else:
        thing.load(context, at(name))
    return thing


def parameters():
    if verb != "make":
        # The constructor needs a scheme in one library and none in the other; what is read has its own.
        parms = api.EncryptionParameters(library.scheme)
        parms.load(at("parms"))
        return parms
    parms = api.EncryptionParameters(library.scheme)
    parms.set_poly_modulus_degree(8192)
    parms.set_coeff_modulus(api.CoeffModulus.Create(8192, [60, 40, 40, 60]))
    return parms


parms = parameters()
# 128 bits or an exception.
context = api.SEALContext(parms, True, library.security)
encoder = api.CKKSEncoder(context)

if verb == "make":
    generator = api.KeyGenerator(context)
    public, relin, galois = api.PublicKey(), api.RelinKeys(), api.GaloisKeys()
    generator.create_public_key(public)
    generator.create_relin_keys(relin)
    generator.create_galois_keys(galois)
    secret = generator.secret_key()
    things = {"parms": parms, "secret": secret, "public": public, "relin": relin, "galois": galois}
    x, y, cipher = api.Plaintext(), api.Plaintext(), api.Ciphertext()
    encoder.encode([0.5, -3.0, 2.25, 1.0], SCALE, x)
    encoder.encode([4.0, 0.125, -2.0, -1.5], SCALE, y)
    encryptor = api.Encryptor(context, public, secret)
    encryptor.encrypt(x, cipher)
    things |= {"plain": x, "x": cipher}
    for name, thing in things.items():
        thing.save(at(name))
    library.save_seeded(encryptor, y, at("y"))
elif verb == "compute":
    evaluator = api.Evaluator(context)
    relin = read(api.RelinKeys, "relin", context)
    galois = read(api.GaloisKeys, "galois", context)
    read(api.PublicKey, "public", context)
    read(api.Plaintext, "plain", context)
    product = read(api.Ciphertext, "x", context)
    evaluator.multiply_inplace(product, read(api.Ciphertext, "y", context))
    evaluator.relinearize_inplace(product, relin)
    evaluator.rescale_to_next_inplace(product)
    product.save(at("product"))
    rotated = read(api.Ciphertext, "x", context)
    evaluator.rotate_vector_inplace(rotated, 1, galois)
    rotated.save(at("rotated"))
    conjugated = read(api.Ciphertext, "x", context)
    evaluator.complex_conjugate_inplace(conjugated, galois)
    conjugated.save(at("conjugated"))
else:
    decryptor = api.Decryptor(context, read(api.SecretKey, "secret", context))
    slots = []
    for name in sys.argv[4:]:
        plain = api.Plaintext()
        decryptor.decrypt(read(api.Ciphertext, name, context), plain)
        slots.append([float(x) for x in library.decode(encoder, plain)][:8])
    print(json.dumps(slots))
