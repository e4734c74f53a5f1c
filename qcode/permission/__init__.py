"""Rules and modes: may this call touch that?"""
